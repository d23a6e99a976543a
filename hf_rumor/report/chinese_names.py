"""The Chinese of words from data or other packages: labels, metrics, kinds of posts, oddities of a corpus."""

CATALOGUE = {
    "{name}: {citation}; license: {license}; known defects: {defects}": (
        "{name}：{citation}；许可证：{license}；已知缺陷：{defects}"
    ),
    "; ": "；",
}

PRIOR = {
    "The probabilities are adjusted to a given share of rumors of {share} ({trained} in training).": (
        "概率已按给定的谣言比例 {share} 调整（训练数据中为 {trained}）。"
    ),
    "The probabilities are adjusted to an estimated share of rumors of {share} [{low}, {high}] ({trained} in "
    "training).": "概率已按估计的谣言比例 {share} [{low}, {high}] 调整（训练数据中为 {trained}）。",
    "Estimated from recall and false alarm rate, the share would be {second}. These posts differ from the "
    "training posts not only in the share of rumors, so the estimate is doubtful.": (
        "按召回率和误报率推算，谣言比例为 {second}：这批微博与训练数据的差别不只在谣言比例上，因此该估计不可靠。"
    ),
}

NAMES = {  # words from data
    "none stated": "未注明",
    "academic research only": "仅限学术研究",
    "half of the non-rumors are posted between 23:00 and 24:00, but few rumors are": (
        "半数非谣言发布于 23 点至 24 点，谣言则很少在此时发布"
    ),
    "only rumors have no author record, or a time written as text": "只有谣言缺少作者信息，或时间为文本形式",
    "rumors have fewer reposts than non-rumors": "谣言的转发比非谣言少",
    "it shares many posts with CED and Weibo21": "与 CED、Weibo21 有大量相同的微博",
    "the way times are written depends on the label": "时间的写法因标签而异",
    "it shares many posts with CED": "与 CED 有大量相同的微博",
    "one in eight of its own test posts has a near-duplicate in its training set": (
        "自带的测试集中，每八条就有一条在训练集中有近似重复"
    ),
    "all non-rumors are by one account": "全部非谣言来自同一个账号",
    "its column provement is the official verdict": "provement 列是官方结论",
    "rumor": "谣言",
    "non-rumor": "非谣言",
    "character TF-IDF + linear SVM": "字符 TF-IDF + 线性 SVM",
    "majority class": "多数类",
    "teacher": "教师模型",
    "No confidence satisfies this bound on validation posts, so the model does not abstain.": (
        "无论置信度取何值，在验证集上都达不到这一要求，因此模型不会判为“不确定”。"
    ),
    "This confidence was chosen on validation posts (`--abstain {rule}`): with a probability of 95%, at most {bound} "
    "of all posts from the same distribution get a wrong decision. Of the test posts, {wrong} get a wrong "
    "decision; {decided} get a decision.": (
        "该置信度在验证集上选定（`--abstain {rule}`）：对与验证集同分布的微博，判断错误的比例以 95% 的概率"
        "不超过 {bound}。在测试集上，这一比例为 {wrong}；{decided} 的微博得到明确判断。"
    ),
    "fewer than 20 posts of a label, near-duplicates counted once": "某一类别的样本不足 20 条（近似重复只计一次）",
    "share of posts classified correctly": "分类正确的样本比例",
    "mean of the F1 scores of both labels": "两类 F1 的平均值",
    "precision for the rumor class": "谣言类的精确率",
    "recall for the rumor class": "谣言类的召回率",
    "F1 score for the rumor class": "谣言类的 F1",
    "precision for the non-rumor class": "非谣言类的精确率",
    "recall for the non-rumor class": "非谣言类的召回率",
    "F1 score for the non-rumor class": "非谣言类的 F1",
    "probability that a random rumor ranks above a random non-rumor": "随机一条谣言得分高于随机一条非谣言的概率",
    "average precision over all thresholds": "所有阈值上的平均精确率",
    "expected calibration error, 15 bins of equal mass": "期望校准误差（15 个等频分箱）",
    "mean squared error of the probability": "概率的均方误差",
    "mean negative log-likelihood, in nats": "平均负对数似然（单位 nat）",
    "BCEWithLogitsLoss on one-hot labels": "BCEWithLogitsLoss（one-hot 标签）",
    "focal loss on one-hot labels": "focal loss（one-hot 标签）",
    "mean squared error of the sigmoid on one-hot labels": "sigmoid 的均方误差（one-hot 标签）",
    "as requested": "由参数指定",
    "as requested; this device emulates it, which is slow": "由参数指定；该设备仅能模拟，速度较慢",
    "auto: supported by the device": "自动：设备支持",
    "auto: the device does not support bf16": "自动：设备不支持 bf16",
    "auto: this CPU does not support bf16": "自动：该 CPU 不支持 bf16",
    "characters": "字数",
    "year": "年份",
    "has a link": "含链接",
    "has reposts": "有转发",
    "verified author": "认证作者",
    "yes": "是",
    "no": "否",
    "unknown": "未知",
    "0 to 49": "0 至 49",
    "50 to 99": "50 至 99",
    "corpus": "语料",
    "100 to 139": "100 至 139",
    "140 and more": "140 及以上",
    "text alone": "仅原文",
    "10 minutes": "10 分钟",
    "1 hour": "1 小时",
    "6 hours": "6 小时",
    "24 hours": "24 小时",
    "all reposts": "全部转发",
    "the first 10 minutes": " 10 分钟",
    "the first hour": " 1 小时",
    "hidden files skipped (leftovers of macOS)": "个隐藏文件已跳过（macOS 残留）",
    "files skipped: not part of the corpus": "个文件已跳过：不属于语料",
    "public corpora recognized": "个语料为已知的公开语料",
    "posts whose label is read with the label map": "条微博的标签按标签映射读取",
    "posts whose labels were swapped: near-duplicates in other sources have the opposite ones": (
        "条微博的标签已对调：其他来源中的近似重复带有相反的标签"
    ),
    "posts skipped: near-duplicates of posts in a source that was named earlier": (
        "条微博已跳过：与排在前面的来源中的微博近似重复"
    ),
    "posts with a near-duplicate in a source that was named earlier": "条微博与排在前面的来源中的微博近似重复",
    "posts whose near-duplicate in another source has the other label": "条微博在其他来源中的近似重复标签相反",
    "posts skipped: the label map maps their label to null": "条微博已跳过：标签映射将其标签设为 null",
    "files read as GB18030, not UTF-8": "个文件按 GB18030 而非 UTF-8 读取",
    "posts whose label is an answer such as yes or 1": "条微博的标签为“是”或 1 这样的回答",
    "posts whose label is read by convention, since the corpus does not define it": (
        "条微博的标签按惯例解读，语料没有说明其含义"
    ),
    "posts skipped: no repost file, hence no label": "条微博已跳过：没有转发文件，因而没有标签",
    "posts skipped: repost files under both labels": "条微博已跳过：两类标签下都有转发文件",
    "repost files skipped: no file for the post": "个转发文件已跳过：没有对应的微博文件",
    "columns that are not used": "列未使用",
    "posts whose split is not train, validation or test": "条微博的划分不是 train、validation 或 test",
    "posts whose time is written as text": "条微博的时间为文本形式",
    "posts whose time cannot be read (kept, time unknown)": "条微博的时间无法读取（保留，时间记为未知）",
    "posts without an author record": "条微博没有作者信息",
    "reposts whose date cannot be read (kept, put last)": "条转发的日期无法读取（保留，排在最后）",
    "lines of Weibo.txt skipped: no file for the event": "行（Weibo.txt）已跳过：没有对应的事件文件",
    "reposts whose date has no year (the earliest possible date after the post is used)": (
        "条转发的日期没有年份（取原文发布之后最早的可能日期）"
    ),
    "reposts dated before their post (kept, not used)": "条转发的日期早于原文（保留，不使用）",
    "posts without a time, whose reposts cannot be used": "条原文没有时间，其转发无法使用",
    "reposts without a text (kept)": "条转发没有正文（保留）",
    "posts without an id: the line or row number is used": "条微博没有 id：以行号作为 id",
    "posts whose id was rounded by a spreadsheet": "条微博的 id 被电子表格四舍五入",
    "posts skipped: empty text": "条微博已跳过：正文为空",
    "posts skipped: copies (id and text seen before)": "条微博已跳过：重复（id 与正文均已出现）",
    "posts with the same id as a different post (kept under a new id)": (
        "条微博与另一条正文不同的微博 id 相同（保留，改用新 id）"
    ),
    "posts skipped: the same text under both labels (all of them)": (
        "条微博已跳过：同一正文出现在两类标签下（全部跳过）"
    ),
}
