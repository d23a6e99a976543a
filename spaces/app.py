"""A demo for Hugging Face Spaces: plain transformers and Gradio, without hf_rumor."""

import os

import gradio
from transformers import pipeline


MODEL = os.environ.get("MODEL", "YOUR_NAME/YOUR_MODEL")  # a model that `hf-rumor push` uploaded
NOTE = """模型只依据文本措辞进行判断，不做事实核查。请勿仅凭检测结果处置用户或内容。

The model uses wording only and checks no facts. Do not base decisions about people or posts on the result alone."""

classify = pipeline("text-classification", MODEL, top_k=None)


def predict(text: str) -> dict[str, float]:
    """Return the probability of each label."""
    if not text.strip():
        return {}
    [scores] = classify([text[:2000]], truncation=True)
    return {one["label"]: one["score"] for one in scores}


gradio.Interface(
    predict,
    gradio.Textbox(label="微博正文 / Post", lines=4),
    gradio.Label(label="谣言概率 / Probability of rumor"),
    title="谣言检测 / Rumor classifier",
    description=NOTE,
    examples=["听说明天全市停水一周，速转！", "今天的晚霞真好看"],
    flagging_mode="never",
).launch()
