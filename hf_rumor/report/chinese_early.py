"""The Chinese of early detection: headline, summary, section and figure."""

EARLY = {
    "With the reposts of {time}, the accuracy is {accuracy}; with the text alone, {text}.": (
        "加入发布后{time}内的转发，准确率为 {accuracy}；仅用原文为 {text}。"
    ),
    "With the reposts of {time}, about {count} of 100 posts are classified correctly (95% CI: {low} to {high}); "
    "with the text alone, {text}.": (
        "加入发布后{time}内的转发，每 100 条微博中约 {count} 条分类正确（95% 置信区间：{low} 至 {high} 条）；"
        "仅用原文约 {text} 条。"
    ),
    "Early detection": "早期检测",
    "In this section, the model also reads the reposts of each post until a deadline. All other sections use "
    "the text alone.": "本节的模型除原文外，还使用截止时间之前的转发；其余各节的结果均只用原文。",
    "deadline|#accuracy|#macro-F1|#ROC-AUC|#posts with reposts": "截止时间|#准确率|#宏平均 F1|#ROC-AUC|#有转发的样本",
    "95% CI in brackets. A repost is read if its date is known, not before the post and not after the deadline, and "
    "if it has words of its own. Posts with reposts: share of the test posts with such reposts.": (
        "方括号内为 95% 置信区间。只使用时间已知、不早于原文、不晚于截止时间且带有附言的转发。“有转发的样本”为有此类"
        "转发的测试样本比例。"
    ),
    "The corpus has {visible} reposts with a known date that is not before the post. {bare} of them are bare "
    "forwards, without words of their own. {chains} also repeat the words of others; those words are skipped.": (
        "语料中时间已知且不早于原文的转发共 {visible} 条：其中 {bare} 条没有附言，{chains} 条附有他人的话"
        "（“//@”之后），这部分略去。"
    ),
    "deadline|#model|#without denials": "截止时间|#模型|#去除辟谣转发",
    "Accuracy on the same test posts. Without denials: the same model, without the reposts that deny the post. "
    "The difference shows how much the model gains from these denials.": (
        "表中为同一批测试样本上的准确率。“去除辟谣转发”：同一模型，但去掉指出原文不实的转发；两者之差即辟谣转发的贡献。"
    ),
    "#SVM, post + reposts|#SVM, reposts|#repost count|#gain over SVM": (
        "#SVM（原文 + 转发）|#SVM（仅转发）|#转发数|#相对 SVM 的提升"
    ),
    "The SVMs are linear, over the TF-IDF of post and reposts or of reposts alone, fitted at each deadline. The gain "
    "is the accuracy of the model minus that of the SVM on post and reposts (paired, with 95% CI).": (
        "SVM 为基于 TF-IDF 的线性 SVM，输入为原文加转发或仅转发，按各截止时间分别训练。“提升”为模型与前者的准确率之差"
        "（配对比较，附 95% 置信区间）。"
    ),
    "The number of reposts depends on how a corpus was collected. It is therefore not an input of the model; the "
    "accuracy of this number alone is shown for comparison.": (
        "转发数取决于语料的采集方式，因此不作为模型输入；表中列出仅用转发数的准确率，以供对照。"
    ),
    "confidence": "所需置信度",
    "a post is decided as soon as the confidence reaches this value": (
        "置信度首次达到该值时，模型即对微博作出判定（谣言或非谣言）"
    ),
    "posts decided": "已判定的样本",
    "share of the test posts": "占测试样本的比例",
    "wrong decisions": "误判",
    "share of these decisions": "占这些判定的比例",
    "minutes to the decision": "判定用时（分钟）",
    "median over the test posts; n/a if fewer than half are decided": "测试样本的中位数；不足一半被判定时为 n/a",
    "share of the test posts that are decided correctly": "判定正确的测试样本比例",
    "Accuracy, ER, instability and SEA are over all test posts; undecided posts count as decided at the last "
    "moment.": "准确率、ER、不稳定性与 SEA 按全部测试样本计算，始终未判定的视为在最后时刻判定。",
    "early rate (ER)": "早期率（ER）",
    "mean share of the {count} moments that have passed at the decision; lower is better": (
        "判定时已经过的时刻占全部 {count} 个时刻的平均比例；越低越好"
    ),
    "instability": "不稳定性",
    "mean share of the moments after the decision at which the prediction flips; lower is better": (
        "判定之后预测发生翻转的时刻的平均比例；越低越好"
    ),
    "((1 - ER) + (1 - instability) + accuracy) / 3; higher is better": (
        "((1 - ER) + (1 - 不稳定性) + 准确率) / 3；越高越好"
    ),
    "decisions|#value|meaning": "判定|#数值|含义",
    "The confidence is the lowest with at most {target} wrong decisions on validation posts.": (
        "置信度取验证集上误判不超过 {target} 的最低值。"
    ),
    "No confidence limits the wrong decisions on validation posts to {target}; the highest is used.": (
        "无论置信度取何值，验证集上的误判都超过 {target}，因此取最高的置信度。"
    ),
    "The moments, in minutes after the post: {minutes}.": "各时刻（发布后的分钟数）：{minutes}。",
    "ER: Song et al., 2018, arXiv:1811.04175. Instability and SEA: Zeng & Gao, 2022, arXiv:2306.02597. They "
    "depend on the choice of the moments.": (
        "ER 见 Song et al., 2018, arXiv:1811.04175；不稳定性与 SEA 见 Zeng & Gao, 2022, arXiv:2306.02597。三者均与时刻"
        "的选取有关。"
    ),
    "all": "全部",
    "{count} min": "{count} 分",
    "{count} h": "{count} 小时",
    "time since the post (log scale)": "发布后的时间（对数刻度）",
    "score on test posts": "测试集分数",
    "accuracy": "准确率",
    "Accuracy: {accuracy} with the text alone, {last_accuracy} at the last moment. ROC-AUC: {area} and {last_area}.": (
        "准确率：仅用原文 {accuracy}，最后时刻 {last_accuracy}。ROC-AUC：{area} 与 {last_area}。"
    ),
}
