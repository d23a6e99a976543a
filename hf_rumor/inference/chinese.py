"""The Chinese of the page of `explain`."""

from hf_rumor.util.translation import Language, Translator


CHINESE = {
    "Explanations of predictions": "预测结果的解释",
    "Model: {model}": "模型：{model}",
    "increases": "提高",
    "decreases": "降低",
    "the probability of rumor; a stronger color is a larger weight. The model sees only wording and checks no "
    "facts: the colors show what its prediction depends on.": (
        "谣言概率；颜色越深，权重越大。模型只依据措辞，不核查事实：这里显示的是预测结果依赖哪些词语。"
    ),
    "probability of rumor {probability}, threshold {threshold}": "谣言概率 {probability}，阈值 {threshold}",
    "The explanation failed: its weights do not account for {share} of the log-odds and are not shown.": (
        "解释失败：对数几率中有 {share} 无法由权重解释，因此不显示权重。"
    ),
    "Increase the probability": "提高概率",
    "Decrease the probability": "降低概率",
    "no word": "无",
    "No word changes the prediction noticeably.": "没有对预测影响明显的词语。",
    "Weights in log-odds: from {without} without any content to {total}. Integrated gradients in {steps} steps; "
    "{share} is not accounted for.": (
        "权重为对数几率：从无内容时的 {without} 到 {total}。积分梯度共 {steps} 步，未解释的部分占 {share}。"
    ),
    "rumor": "谣言",
    "non-rumor": "非谣言",
    "uncertain": "不确定",
}


def translator(language: Language) -> Translator:
    """Return the translator of the page."""
    return Translator(language, CHINESE)
