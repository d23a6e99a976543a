"""The Chinese of reports and model cards; a test checks that it is complete."""

from hf_rumor.report.chinese_early import EARLY
from hf_rumor.report.chinese_names import CATALOGUE, NAMES, PRIOR
from hf_rumor.util.translation import Language, Translator


WORDS = {  # the headline, the summary, leakage
    "{value} pp [{low}, {high}]": "{value} 个百分点 [{low}, {high}]",
    "{verdict}; {difference}": "{verdict}（{difference}）",
    "no significant difference": "无显著差异",
    "significantly better": "显著更优",
    "significantly worse": "显著更差",
    "The posts are synthetic (`data/sample`): the score does not apply to real posts.": (
        "本次运行使用人工合成的示例数据（`data/sample`），分数不适用于真实微博。"
    ),
    "The model predicts {label} for every test post. Retrain it with `{balanced}`, or choose a threshold with "
    "`--decision max_f1`.": (
        "模型把所有测试样本都预测为“{label}”。请使用 `{balanced}` 重新训练，或用 `--decision max_f1` 选择阈值。"
    ),
    "{share} of the tokens of the test posts are unknown to the model. Use a model for the language of the posts.": (
        "测试样本中有 {share} 的 token 不在模型词表中。请换用适合该语言的模型。"
    ),
    "test posts of the {split} split": "条测试样本（{split} 划分）",
    "posts of `{corpus}` that the model has not seen": "条来自 `{corpus}`、模型未见过的样本",
    "posts of `{corpus}`": "条来自 `{corpus}` 的样本",
    "Test accuracy {accuracy} (95% CI), macro-F1 {macro_f1}, on {count} {posts}.": (
        "测试准确率 {accuracy}（95% 置信区间），宏平均 F1 {macro_f1}，共 {count} {posts}。"
    ),
    "There is no baseline: {reason}.": "没有基线结果：{reason}。",
    "Compared with the baseline, TF-IDF + SVM: {verdict}.": "与基线 TF-IDF + SVM 相比：{verdict}。",
    "posts of this corpus": "本语料的样本",
    "unseen posts": "未见过的样本",
    "Of 100 {posts}, about {count} are classified correctly (95% CI: {low} to {high}).": (
        "每 100 条{posts}中，约 {count} 条分类正确（95% 置信区间：{low} 至 {high} 条）。"
    ),
    "Of 100 rumors, {recall} are detected; of 100 posts flagged as rumors, {precision} are rumors.": (
        "每 100 条谣言中能检出 {recall} 条；每 100 条被判为谣言的微博中，{precision} 条确为谣言。"
    ),
    "No post is flagged as a rumor.": "没有样本被判为谣言。",
    "There are too few posts to decide whether the model is better or worse than the baseline: the difference "
    "may be due to chance.": ("这些样本不足以判断模型与基线孰优孰劣：差异可能出于偶然。"),
    "Probabilities deviate from observed frequencies by {error} pp on average. With this number of posts, even a "
    "perfectly calibrated model would deviate by {chance} pp.": (
        "预测概率与实际频率平均相差 {error} 个百分点；样本数相同时，完全校准的模型也会相差 {chance} 个百分点。"
    ),
    "It is unknown how many of these posts have a near-duplicate among the training posts of the model.": (
        "无法得知这些样本中有多少在模型的训练集中有近似重复。"
    ),
    "{count} of {total} posts ({share}) are training or validation posts of the model, or near-duplicates of one.": (
        "{total} 条样本中有 {count} 条（{share}）本身或其近似重复出现在模型的训练集或验证集中。"
    ),
    "near-duplicate (Jaccard similarity of character 5-grams at least 0.5)": (
        "近似重复（字符 5-gram 的 Jaccard 相似度不低于 0.5）"
    ),
    "{count} of {total} test posts ({share}) have a {near_duplicate} among the training or validation posts. "
    "This inflates the score, since the model may have memorized them.": (
        "{total} 条测试样本中有 {count} 条（{share}）在训练/验证集中有{near_duplicate}。模型可能已记住，因此分数偏高。"
    ),
    "No test post has a {near_duplicate} among the training or validation posts.": (
        "所有测试样本在训练集和验证集中都没有{near_duplicate}。"
    ),
    "{count} test posts were dropped, since the initial model had seen them.": (
        "另有 {count} 条测试样本已被初始模型见过，故剔除。"
    ),
    "actual {actual}, predicted {predicted}, probability of rumor {probability}": (
        "实际：{actual}，预测：{predicted}，谣言概率 {probability}"
    ),
}

RESULTS = {  # metrics, baseline, calibration, kinds of posts
    "Metrics": "评估指标",
    "#test [95% CI]": "#测试集 [95% 置信区间]",
    "#unseen posts [95% CI]": "#未见过的样本 [95% 置信区间]",
    "#validation": "#验证集",
    "metric": "指标",
    "meaning": "含义",
    "; lower is better": "；越低越好",
    "95% CI in brackets: {count} bootstrap resamples of near-duplicate groups. The interval of `ece` is biased "
    "upwards, because resampling adds noise.": (
        "方括号内为 95% 置信区间：按近似重复分组做 {count} 次自助重采样。重采样会引入噪声，因此 `ece` 的区间偏高。"
    ),
    "actual {label}": "实际：{label}",
    "predicted {label}": "预测：{label}",
    "test posts [95% CI]": "测试样本 [95% 置信区间]",
    "Confusion matrix: number of test posts with 95% CI, and percentage of the row.": (
        "混淆矩阵：测试样本数（含 95% 置信区间）及行占比。"
    ),
    "Comparison with baselines": "与基线比较",
    "Baselines were fitted on training and validation posts.": "基线在训练集与验证集上拟合。",
    "Baselines were fitted by 5-fold cross-validation on the unseen posts.": (
        "基线在未见过的样本上以 5 折交叉验证拟合。"
    ),
    "Baselines were fitted by 5-fold cross-validation on these posts.": "基线在这些样本上以 5 折交叉验证拟合。",
    "Differences are paired, model minus baseline, with 95% CI. A difference in accuracy is significant if its "
    "interval excludes 0. The interval is widened, if necessary, to contain that of a sign test over near-duplicate "
    "groups (exact McNemar test). The p-value is that of this test. The interval for macro-F1 comes from the "
    "bootstrap alone.": (
        "差异为配对比较（模型减基线），附 95% 置信区间。准确率差异的区间不含 0 即为显著；该区间不窄于按近似重复分组的"
        "符号检验（精确 McNemar 检验）所对应的区间，检验的 p 值见表。宏平均 F1 的区间仅来自自助法。"
    ),
    "baseline|#accuracy|#macro-F1|difference in accuracy|#p-value|#difference in macro-F1": (
        "基线|#准确率|#宏平均 F1|准确率差异|#p 值|#宏平均 F1 差异"
    ),
    "Probabilities were not calibrated.": "概率未经校准。",
    "Probabilities were calibrated by Platt scaling, fitted on validation posts with a prior equivalent "
    "to {count} posts, and folded into the last layer ({lines}).": (
        "概率经 Platt 校准：在验证集上拟合，先验权重相当于 {count} 条样本，并已合并到最后一层（{lines}）。"
    ),
    "The probability of rumor is the {function} of the rumor logit.": "谣言概率由“谣言”logit 经 {function} 得到。",
    "A post is predicted to be a rumor if its probability is at least {threshold} (`--decision {rule}`).": (
        "谣言概率不低于 {threshold} 的微博判为谣言（`--decision {rule}`）。"
    ),
    "No threshold satisfies this rule on validation posts; this one comes closest.": (
        "验证集上没有阈值能达到该要求，此阈值最为接近。"
    ),
    "A post is uncertain if its confidence is below {limit}. The accuracy on the other {count} of {total} test posts "
    "is {accuracy}.": (
        "置信度低于 {limit} 的微博判为“不确定”。{total} 条测试样本中其余 {count} 条的准确率为 {accuracy}。"
    ),
    "before calibration": "校准前",
    "after calibration": "校准后",
    "test posts": "测试样本",
    "`ece_by_chance`: `ece` of a perfectly calibrated model on the same number of posts.": (
        "`ece_by_chance`：样本数相同时，完全校准的模型的 `ece`。"
    ),
    "validation": "验证集",
    "test": "测试集",
    "posts|#precision|#recall|#flagged as rumors": "样本|#精确率|#召回率|#判为谣言的比例",
    "Calibration and threshold": "校准与阈值",
    "Accuracy by kind of post": "各类微博的准确率",
    "The posts do not differ in any known property.": "样本之间没有已知的属性差异。",
    "too few posts to judge": "样本太少，无法判断",
    "kind of post|#posts|#rumors|#accuracy [95% CI]|note": "类别|#样本数|#谣言数|#准确率 [95% 置信区间]|备注",
}

PROVENANCE = {  # data, training, hyperparameters, how to reproduce
    "Corpus: `{path}`, SHA-256 `{digest}`": "语料：`{path}`，SHA-256 `{digest}`",
    "{total} posts: {rumors} rumors, {others} non-rumors": "共 {total} 条微博：谣言 {rumors} 条，非谣言 {others} 条",
    "Tokens of the test posts that are unknown to the model: {share}": "测试样本中不在模型词表内的 token：{share}",
    "All posts are test posts; the model was trained on another corpus": "全部样本均用于测试；模型在其他语料上训练",
    "Split: `{name}`, seed {seed}{fold}; {train} training, {validation} validation and {test} test posts": (
        "划分：`{name}`，随机种子 {seed}{fold}；训练集 {train} 条，验证集 {validation} 条，测试集 {test} 条"
    ),
    ", fold {fold}": "，折 {fold}",
    "No test post was used to choose the checkpoint, the calibration or the threshold": (
        "检查点、校准与阈值的选择均未使用测试集"
    ),
    "Data and leakage": "数据与泄漏",
    "{count} steps": "{count} 步",
    "{steps} of {planned} (stopped early)": "{steps}（计划 {planned} 步，提前停止）",
    " (since it resumed at step {step})": "（自第 {step} 步恢复训练起）",
    "the model after the last step": "最后一步的模型",
    "`{checkpoint}`, the best on validation posts ({metric} {value})": (
        "`{checkpoint}`，验证集上最优（{metric} {value}）"
    ),
    "Model: {name} ({architecture}, {count} parameters), texts truncated to {length} tokens": (
        "模型：{name}（{architecture}，{count} 个参数），文本截断至 {length} 个 token"
    ),
    "Loss: {formula} {kwargs}": "损失：{formula} {kwargs}",
    "{epochs} epochs, {steps}, {warmup} of them warm-up; global batch size {batch}; schedule {schedule}, peak "
    "learning rate {rate}": (
        "{epochs} 轮，{steps}，其中预热 {warmup} 步；全局批大小 {batch}；学习率调度 {schedule}，峰值学习率 {rate}"
    ),
    "Model kept: {kept}": "保留的模型：{kept}",
    "{seconds} s from {start} to {end}{since}, {speed} posts per second": (
        "用时 {seconds} 秒，{start} 至 {end}{since}，每秒 {speed} 条样本"
    ),
    "{device}, {precision} ({reason}), {count} process(es)": "{device}，{precision}（{reason}），{count} 个进程",
    " (kept)": "（保留）",
    "epoch|#mean training loss|#validation loss|#validation macro-F1": "轮次|#平均训练损失|#验证损失|#验证集宏平均 F1",
    "Model and training": "模型与训练",
    "chosen automatically": "自动选择",
    "set by flag or recipe": "由参数或训练配置指定",
    "default": "默认值",
    "name|value|origin": "名称|取值|来源",
    "Hyperparameters": "超参数",
    "How to reproduce it": "如何复现",
    "Versions: {versions}.": "版本：{versions}。",
    "nothing": "无",
    "Chosen automatically: {flags}.": "自动选择：{flags}。",
}

FIGURES = {
    "Learning curve": "学习曲线",
    "step": "步数",
    "loss": "损失",
    "training loss": "训练损失",
    "validation loss": "验证损失",
    "Training loss: from {first} to {last}.": "训练损失：从 {first} 变为 {last}。",
    "validation macro-F1": "验证集宏平均 F1",
    "Validation loss: {losses}; validation macro-F1: {scores}.": "验证损失：{losses}；验证集宏平均 F1：{scores}。",
    "Learning rate": "学习率",
    "learning rate": "学习率",
    "The learning rate peaks at {peak} and ends at {last}.": "学习率峰值为 {peak}，结束时为 {last}。",
    "Confusion matrix": "混淆矩阵",
    "predicted": "预测",
    "actual": "实际",
    "Actual {actual}: {negative} predicted {non_rumor}, {positive} predicted {rumor}.": (
        "实际为{actual}：{negative} 条预测为{non_rumor}，{positive} 条预测为{rumor}。"
    ),
    "Probabilities by label": "各类别的概率分布",
    "probability of rumor": "谣言概率",
    "posts": "样本数",
    "{outer} of {total} posts with label {name} have a probability below 0.05 or above 0.95.": (
        "{total} 条{name}中，{outer} 条的概率低于 0.05 或高于 0.95。"
    ),
    "threshold {threshold}": "阈值 {threshold}",
    "Reliability": "可靠性",
    "mean probability of rumor": "平均谣言概率",
    "share of rumors": "谣言所占比例",
    "calibrated": "完全校准",
    "this model": "本模型",
    "Expected calibration error: {error}.": "期望校准误差：{error}。",
    "Expected calibration error: {error}, before calibration {before}.": "期望校准误差：{error}，校准前 {before}。",
    "Receiver operating characteristic (ROC)": "ROC 曲线",
    "false positive rate": "假阳性率",
    "true positive rate": "真阳性率",
    "Area under the curve: {area}; 0.5 is chance, 1 is perfect.": "曲线下面积：{area}；0.5 为随机水平，1 为最优。",
    "Precision and recall": "精确率与召回率",
    "recall": "召回率",
    "precision": "精确率",
    "at the threshold": "阈值处",
    "Average precision: {average}. At the threshold, precision is {precision} and recall is {recall}.": (
        "平均精确率：{average}。阈值处精确率为 {precision}，召回率为 {recall}。"
    ),
    "coverage: share of posts, the most confident first": "覆盖率：按置信度从高到低的样本比例",
    "accuracy on these posts": "其中的准确率",
    "Accuracy against coverage": "准确率与覆盖率",
    "Accuracy on the more confident half: {half}; on all posts: {whole}.": (
        "置信度较高的一半样本的准确率：{half}；全部样本：{whole}。"
    ),
}

PAGE = {
    "Report on a rumor classifier": "谣言检测模型评估报告",
    "{model}, training finished on {date}": "{model}，{date} 完成训练",
    "Sections": "章节",
    "Figures": "图表",
    "Mistakes": "误判",
    "The same figures are in the folder `figures`, as SVG and PNG.": "这些图另存于 `figures` 文件夹（SVG 与 PNG）。",
    "The most confident mistakes": "置信度最高的误判",
    "{shown} of {total} mistakes, at most one per group of near-duplicates. All of them: `mistakes.csv`.": (
        "共 {total} 条误判，此处列出 {shown} 条，每组近似重复至多一条。全部误判见 `mistakes.csv`。"
    ),
    "There are none.": "没有误判。",
}

CARD = {
    "Rumor classifier for Chinese microblog posts": "中文微博谣言检测模型",
    "Estimates the probability that a post is a rumor. {encoder}, fine-tuned with hf_rumor {version}.": (
        "估计一条微博是谣言的概率。由 {encoder} 微调得到，使用 hf_rumor {version}。"
    ),
    "Usage": "使用方法",
    "A post is predicted to be a rumor if its probability is at least {threshold}. With hf_rumor installed, "
    "`RumorClassifier.from_pretrained` applies this threshold, and `hf-rumor explain`, `evaluate` and `serve` "
    "work as well.": (
        "谣言概率不低于 {threshold} 的微博判为谣言。安装 hf_rumor 后，`RumorClassifier.from_pretrained` 会使用该阈值，"
        "也可使用 `hf-rumor explain`、`evaluate` 和 `serve`。"
    ),
    "Intended use and limits": "适用范围与局限",
    "For ranking posts for human review, and for research on rumors. Not for decisions about people or posts without "
    "human review: a false alarm harms the author of the post, and a missed rumor harms those who believe it.": (
        "适用于对微博排序以供人工核查，以及谣言研究。不得在没有人工复核的情况下处置用户或内容：误报会伤害作者，漏报会"
        "伤害相信谣言的人。"
    ),
    "The model sees only wording and checks no facts: it misses rumors written in a sober tone.": (
        "模型只依据措辞，不核查事实：语气平实的谣言不会被发现。"
    ),
    "**Satire** and jokes are classified by their wording alone.": "**讽刺**与玩笑同样只按措辞判断。",
    "**Breaking news** resembles rumors: urgent, without a source, with calls to share it.": (
        "**突发新闻**与谣言相似：紧急、没有来源、呼吁转发。"
    ),
    "**Dialects**, traditional characters and languages other than that of the training posts have not been tested.": (
        "**方言**、繁体字以及训练语料之外的语言未经测试。"
    ),
    "**Drift**: topics, people and phrases change, and scores drop on posts newer than the training posts. "
    "Measure it on your own posts with `hf-rumor evaluate`.": (
        "**时间漂移**：话题、人物和用语会变化，在晚于训练语料的微博上分数会下降。请用 `hf-rumor evaluate` 自行评估。"
    ),
    "**Prevalence**: the share of rumors in practice differs from that in the corpus. Choose the threshold on "
    "your own posts.": ("**谣言比例**：实际使用中的谣言比例与语料不同，请在自己的数据上选择阈值。"),
    "License and citation": "许可证与引用",
    "License of this model: {license}.": "本模型的许可证：{license}。",
    "none is stated; ask the author before using it": "未注明；使用前请询问作者",
    "Encoder: {encoder}": "编码器：{encoder}",
    "Data: {data}": "数据：{data}",
    "`{path}`; see the terms of its author": "`{path}`；使用条款以其作者的说明为准",
    "CED corpus: Song et al., 2018, [arXiv:1811.04175](https://arxiv.org/abs/1811.04175); no license stated, for "
    "research use": (
        "CED 语料：Song et al., 2018, [arXiv:1811.04175](https://arxiv.org/abs/1811.04175)；未注明许可证，用于研究"
    ),
}

CHINESE = {**WORDS, **RESULTS, **PROVENANCE, **FIGURES, **PAGE, **CARD, **EARLY, **CATALOGUE, **PRIOR, **NAMES}


def translator(language: Language) -> Translator:
    """Return the translator of reports and cards."""
    return Translator(language, CHINESE)
