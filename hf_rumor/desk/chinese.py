"""The Chinese of the page of `monitor`."""

from hf_rumor.util.translation import Language, Translator


CHINESE = {
    "Monitoring of a rumor classifier": "谣言分类器监测",
    "Model: {model}": "模型：{model}",
    "Alarm: the posts of the last day differ from the reference.": "警报：最后一天的微博与参照数据有显著差异。",
    "No alarm: the posts of the last day differ from the reference no more than the reference varies over time.": (
        "无警报：最后一天的微博与参照数据的差异未超出参照数据自身的波动范围。"
    ),
    "{day}: {statistic} {value}, expected {mean}: {deviation} standard deviations (limit {limit}).": (
        "{day}：{statistic} {value}，预期 {mean}，偏离 {deviation} 个标准差（阈值 {limit}）。"
    ),
    "More frequent: {words}.": "出现增多的词：{words}。",
    "Less frequent: {words}.": "出现减少的词：{words}。",
    "Nominal false-alarm rate: {rate} per week of {days} days (files), if posts change no more than within "
    "the reference. The limits of the last day are based on {windows} windows of {posts} distinct posts.": (
        "名义误报率：若微博的变化不超出参照数据自身的波动，每周（{days} 天，即 {days} 个文件）为 {rate}。"
        "最后一天的阈值依据 {windows} 个窗口，每个含 {posts} 条去重后的微博。"
    ),
    "Alarms": "警报",
    "There are none.": "无。",
    "Curves over days": "逐日曲线",
    "Days": "逐日数据",
    "Estimated share of rumors": "谣言比例估计",
    "share": "比例",
    "estimate with 95% CI": "估计值及 95% 置信区间",
    "Not part of the alarm: a change of this share is news, not a fault of the model.": (
        "不计入警报：谣言比例变化反映舆情，而非模型失效。"
    ),
    "limit": "阈值",
    "day": "日期",
    "alarm": "警报",
    "Days outside the limits: {days}.": "超出阈值的日期：{days}。",
    "All days are within the limits.": "各日均在阈值之内。",
    "AUC of the two-sample test": "双样本检验 AUC",
    "Distance in style": "文体距离",
    "Surprise, bits per character": "意外度（比特/字）",
    "Mean confidence": "平均置信度",
    "Characters, geometric mean": "字数（几何平均）",
    "Share of unknown tokens": "未知词元比例",
    "AUC, style and surprise together": "AUC、文体与意外度综合",
    "wording": "措辞综合",
    "posts": "微博数",
    "distinct": "去重后",
    "rumors": "谣言比例",
    "auc": "AUC",
    "style": "文体",
    "surprise": "意外度",
    "confidence": "置信度",
    "length": "字数",
    "unknown": "未知词元",
    "deviation": "最大偏离",
    "ALARM": "警报",
    "no": "无",
    "not tested": "未检验",
}


def translator(language: Language) -> Translator:
    """Return the sentences of the page in a language."""
    return Translator(language, CHINESE)
