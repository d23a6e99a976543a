"""What the page says, in Chinese and English."""

LANGUAGES = {"中文": "zh", "English": "en"}

WORDS = {
    "zh": {
        "title": "谣言识别",
        "what": "模型：{}。输入一条微博，看它有多像谣言，以及是哪些词让模型这么想。",
        "text": "微博正文",
        "ask": "判断",
        "file": "批量文件（.jsonl、.csv、.tsv，或每行一条的 .txt）",
        "ask_file": "判断整个文件",
        "result": "结果",
        "limits": "**局限。** 模型只看措辞，不了解事实：它不知道一句话是真是假。"
        "讽刺、突发新闻、方言以及训练之后的新话题都可能误导它；误判会伤害人。请不要仅凭它对人或帖子作出决定。输入的内容不会被保存。",
        "empty": "请先输入一段文字。",
        "too_long": "文字太长：最多 {:,} 个字符，现有 {:,} 个。",
        "no_file": "请先选择一个文件。",
        "wrong_file": "无法读取这个文件：",
        "done": "已判断 {:,} 行，其中 {:,} 行无法读取（结果中写明原因）。",
        "rumor": "像谣言",
        "non-rumor": "不像谣言",
        "uncertain": "拿不准",
        "probability": "谣言概率",
        "threshold": "阈值",
        "for": "支持“谣言”",
        "against": "反对“谣言”",
        "faint": "没有哪个词对结果有明显影响。",
        "failed": "未能得到可靠的解释，因此不显示各词的权重。",
    },
    "en": {
        "title": "Rumor classifier",
        "what": "Model: {}. Type a post to see how much it reads like a rumor, and which words make it so.",
        "text": "Post",
        "ask": "Judge",
        "file": "File of many posts (.jsonl, .csv, .tsv, or .txt with a post a line)",
        "ask_file": "Judge the whole file",
        "result": "Result",
        "limits": "**Limits.** The model reads wording, not the world: it does not know whether a claim is true. "
        "Satire, breaking news, dialect and topics newer than its training mislead it; a false flag harms. Let no "
        "decision about people or posts rest on it alone. What you enter is not kept.",
        "empty": "Type a text first.",
        "too_long": "The text is too long: at most {:,} characters, found {:,}.",
        "no_file": "Choose a file first.",
        "wrong_file": "This file cannot be read:",
        "done": "{:,} lines judged; {:,} of them could not be read (the result says why).",
        "rumor": "reads like a rumor",
        "non-rumor": "does not read like a rumor",
        "uncertain": "uncertain",
        "probability": "probability of rumor",
        "threshold": "threshold",
        "for": "speaks for rumor",
        "against": "speaks against it",
        "faint": "No word moved it noticeably.",
        "failed": "No reliable explanation was found, so the weights of the words are not shown.",
    },
}
