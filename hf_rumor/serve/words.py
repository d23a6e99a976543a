"""The texts of the page, in Chinese and English."""

from hf_rumor.util.translation import Language


LANGUAGES: dict[str, Language] = {"中文": "zh", "English": "en"}

WORDS = {
    "zh": {
        "title": "谣言检测",
        "what": "模型：{}。输入一条微博，查看模型给出的谣言概率，以及影响结果的词语。",
        "text": "微博正文",
        "time": "发布时间（如 2026-11-30 12:00，填写转发时必填）",
        "reposts": "转发（每行一条：时间 空格 转发内容）",
        "no_time": "时间无法识别：“{}”。请使用 2026-11-30 12:00:00 这样的格式，每条转发以时间开头。",
        "text_alone": "仅看正文",
        "over_time": "谣言概率随转发的变化",
        "important": "影响最大的转发",
        "after": "发布后",
        "change": "对数几率变化",
        "ask": "检测",
        "file": "批量检测的文件（.jsonl、.csv、.tsv，或每行一条微博的 .txt）",
        "ask_file": "批量检测",
        "result": "检测结果",
        "limits": "**局限性。** 模型只依据文本措辞进行判断，不做事实核查，无法确认内容的真伪。"
        "讽刺、突发新闻、方言以及训练数据中没有的新话题都可能导致误判，而误判会伤害他人。"
        "请勿仅凭检测结果处置用户或内容。输入的内容不会被保存。",
        "empty": "请先输入文本。",
        "too_long": "文本过长：上限为 {:,} 个字符，当前为 {:,} 个。",
        "no_file": "请先选择文件。",
        "wrong_file": "无法读取该文件：",
        "done": "共处理 {:,} 行，其中 {:,} 行无法读取（原因见检测结果）。",
        "rumor": "预测为谣言",
        "non-rumor": "预测为非谣言",
        "uncertain": "不确定",
        "probability": "谣言概率",
        "threshold": "阈值",
        "for": "提高谣言概率",
        "against": "降低谣言概率",
        "faint": "没有明显影响结果的词语。",
        "failed": "未能得到可靠的解释，因此不显示各词语的权重。",
    },
    "en": {
        "title": "Rumor classifier",
        "what": "Model: {}. Enter a post to get the probability that it is a rumor, and the words that influence it.",
        "text": "Post",
        "time": "Time of the post (such as 2026-11-30 12:00; required with reposts)",
        "reposts": "Reposts (one per line: time, space, words)",
        "no_time": "Not a time: “{}”. Write 2026-11-30 12:00:00, for each repost at the start of its line.",
        "text_alone": "text alone",
        "over_time": "Probability of rumor as reposts arrive",
        "important": "Reposts with the largest effect",
        "after": "after the post",
        "change": "change in log-odds",
        "ask": "Classify",
        "file": "File of posts (.jsonl, .csv, .tsv, or .txt with one post per line)",
        "ask_file": "Classify the file",
        "result": "Result",
        "limits": "**Limitations.** The model uses wording only and checks no facts. Satire, breaking news, dialect "
        "and topics newer than its training data cause errors, and errors harm people. Do not base decisions about "
        "people or posts on the result alone. Your input is not stored.",
        "empty": "Enter a text first.",
        "too_long": "The text is too long: at most {:,} characters, found {:,}.",
        "no_file": "Choose a file first.",
        "wrong_file": "The file cannot be read:",
        "done": "{:,} lines classified, {:,} of which could not be read (reasons in the result).",
        "rumor": "predicted: rumor",
        "non-rumor": "predicted: non-rumor",
        "uncertain": "uncertain",
        "probability": "probability of rumor",
        "threshold": "threshold",
        "for": "increases the probability",
        "against": "decreases the probability",
        "faint": "No word has a noticeable influence.",
        "failed": "No reliable explanation was found, so the weights of the words are not shown.",
    },
}
