"""The page, driven in a real browser against a real server on loopback."""

import csv
import json
import shutil
from contextlib import closing
from pathlib import Path

import pytest
from openpyxl import Workbook

from hf_rumor import RumorClassifier
from hf_rumor.cli.main import main
from hf_rumor.corpus.post import Post, Repost
from hf_rumor.reposts.model import save_reposts
from hf_rumor.serve.server import TOKEN
from hf_rumor.serve.words import WORDS


POST = "听说昨夜公园停水，速转！"
NOON = 1372478400  # 2013-06-29 12:00 in China
ZH, EN = WORDS["zh"], WORDS["en"]
DESKTOP, PHONE = {"width": 1200, "height": 900}, {"width": 390, "height": 844}
REFUSED = "Failed to load resource: the server responded with a status of 4"  # of the console, for each refusal

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def reading_folder(folder, reading_classifier, tmp_path_factory):
    """Return a folder with the small model and a model of reposts."""
    copy = shutil.copytree(folder, tmp_path_factory.mktemp("reading") / "model")
    save_reposts(reading_classifier.reposts, copy)
    return copy


@pytest.fixture(scope="module")
def server(start_server, reading_folder):
    """Return the address of a server."""
    with start_server(reading_folder, "--max_posts", "100") as (address, _):
        yield address


@pytest.fixture
def open_tab(browser):
    """Return a function that opens a page; check that it requested nothing from other hosts and had no errors."""
    contexts, urls, errors, addresses = [], [], [], []

    def open_(address, viewport=DESKTOP):
        contexts.append(browser.new_context(viewport=viewport, has_touch=viewport is PHONE))
        page = contexts[-1].new_page()
        page.set_default_timeout(60_000)
        page.on("request", lambda request: urls.append(request.url))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        addresses.append(address)
        page.goto(address)
        page.locator("nav a[aria-current]").wait_for()
        return page

    yield open_
    assert [url for url in urls if not url.startswith((*addresses, "blob:"))] == []
    assert [error for error in errors if not error.startswith(REFUSED)] == []
    for context in contexts:
        context.close()


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def page(request, open_tab, server):
    """Return the page on a desktop and on a phone."""
    return open_tab(server, request.param)


@pytest.fixture
def crawl(tmp_path, make_posts):
    """Return a file as a crawler writes it: GB18030, and columns that are not recognized."""
    path = tmp_path / "抓取结果.csv"
    with path.open("w", encoding="gb18030", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["编码", "博文", "转发数"])
        rows = ([4700000000000000 + number, post.text, 7 * number] for number, post in enumerate(make_posts(12)))
        writer.writerows(rows)
    return path


def classify(page, text):
    page.locator("#text").fill(text)
    page.locator("#ask").click()


def show(page, section):
    page.locator(f"nav a[href='#{section}']").click()
    page.locator(f"#{section}").wait_for()


def make_queue(page, path):
    show(page, "queue")
    page.wait_for_load_state("networkidle")
    if not page.locator("#day_file").is_visible():
        page.locator("#upload summary").click()
    page.locator("#day_file").set_input_files(path)
    page.locator("#top").fill("10")
    page.locator("#ask_queue").click()
    page.locator("#day_file_text_column").select_option("1")
    page.locator("#day_file_id_column").select_option("0")
    page.locator("#ask_queue").click()
    page.locator("#stories li:focus").wait_for()


def stored_verdict(page):
    """Return the verdict of the first story in the queue that a tab shows, as the server has stored it."""
    address = "/api/queue?upload=" + page.locator("#which").input_value()
    return page.evaluate("address => fetch(address).then(answer => answer.json())", address)["stories"][0]["verdict"]


def test_the_page_shows_the_probability_of_the_classifier(page, folder, barriers):
    classify(page, POST)
    [expected] = RumorClassifier.from_pretrained(folder).predict([POST])
    shown = page.locator("#result").get_by_text(f"{expected.rumor_probability:.3f}").first
    shown.wait_for()
    assert page.locator("[data-predicted]").get_attribute("data-predicted") == expected.predicted
    assert page.locator(".words").text_content() == POST
    assert page.locator(".lists li").count() > 0
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    assert barriers(page) == []


def test_the_page_shows_the_probability_over_time(page, reading_folder, barriers):
    page.locator("#post_form summary").click()
    page.locator("#time").fill("2013-06-29 12:00")
    page.locator("#reposts").fill("2013-06-29 12:01 真的吗\n2013-06-29 13:00 <b>谣言</b>\n")
    classify(page, POST)
    reposts = (Repost("", "真的吗", NOON + 60), Repost("", "<b>谣言</b>", NOON + 3600))
    post = Post(text=POST, posted_at=NOON, reposts=reposts)
    [expected] = RumorClassifier.from_pretrained(reading_folder).predict([post])
    page.locator("#result").get_by_text(f"{expected.rumor_probability:.3f}").first.wait_for()
    assert page.locator("#curve").get_attribute("points").count(",") == 5
    assert "<b>谣言</b>" in page.locator("#important").text_content()
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    assert barriers(page) == []
    page.locator("#reposts").fill("真的吗")
    page.locator("#ask").click()
    page.get_by_text(ZH["error_time"].format(shown="真的吗")).wait_for()


def test_the_page_can_switch_languages(page, open_tab, server):
    classify(page, POST)
    page.locator(".decision").wait_for()
    page.locator("#language").click()
    page.get_by_role("button", name=EN["ask"], exact=True).wait_for()
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.title() == EN["title"]
    assert EN["for"] in page.locator("#result").text_content()
    classify(page, "")
    page.get_by_text(EN["error_empty"]).wait_for()
    page.reload()
    page.get_by_role("button", name=EN["ask"], exact=True).wait_for()


def test_no_chinese_text_stays_in_the_english_page(page, crawl):
    make_queue(page, crawl)
    page.locator("#language").click()
    page.get_by_text(EN["progress"].format(done=0, all=10)).wait_for()
    names = page.evaluate(
        """[...document.querySelectorAll("body *")].filter(node => !node.closest("[lang=zh], dl, select, #language")
        && !node.children.length && /[\\u4e00-\\u9fff]/.test(node.textContent) && node.tagName !== "SCRIPT")
        .map(node => node.outerHTML)"""
    )
    assert [name for name in names if EN["influential"].partition("{")[0] not in name] == []


def test_a_crawl_in_gb18030_is_classified_when_its_columns_are_chosen(page, crawl, folder, barriers):
    show(page, "file")
    page.locator("#file_input").set_input_files(crawl)
    page.locator("#ask_file").click()
    page.locator("#file_input_text_column").select_option("1")
    page.locator("#file_input_id_column").select_option("0")
    page.locator("#file_input_no_header").check()
    page.locator("#language").click()
    assert page.locator("#file_input_no_header").is_checked()
    assert page.locator("#file_input_text_column").input_value() == "1"
    page.locator("#file_input_no_header").uncheck()
    page.locator("#language").click()
    assert barriers(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    page.locator("#ask_file").click()
    with page.expect_download() as download:
        page.locator("#download").click()
    assert download.value.suggested_filename == "predictions.csv"
    rows = list(csv.DictReader(Path(download.value.path()).read_text("utf-8-sig").splitlines()))
    expected = RumorClassifier.from_pretrained(folder).predict([row["博文"] for row in rows])
    assert [row["编码"] for row in rows] == [str(4700000000000000 + number) for number in range(12)]
    assert [row["predicted"] for row in rows] == [one.predicted for one in expected]
    counts = {"posts": 12, "rumors": sum(one.predicted == "rumor" for one in expected), "errors": 0}
    assert page.get_by_text(ZH["file_done"].format(**counts)).is_visible()


def test_a_spreadsheet_is_classified_and_answered_with_one(page, tmp_path):
    book, path = Workbook(), tmp_path / "day.xlsx"
    for row in (["id", "正文"], ["4700000000000001", POST], ["4700000000000002", ""]):
        book.active.append(row)
    book.save(path)
    show(page, "file")
    page.locator("#file_input").set_input_files(path)
    page.locator("#output").select_option("xlsx")
    page.locator("#ask_file").click()
    with page.expect_download() as download:
        page.locator("#download").click()
    assert Path(download.value.path()).read_bytes()[:2] == b"PK"
    assert "1 行无法读取" in page.locator("#file_result").text_content()


def test_files_that_cannot_be_read_get_a_reason(page, tmp_path):
    show(page, "file")
    page.locator("#ask_file").click()
    page.get_by_text(ZH["error_no_file"]).wait_for()
    wrong, large = tmp_path / "picture.txt", tmp_path / "large.csv"
    wrong.write_bytes(b"\x89PNG\0\0\0")
    large.write_bytes(b"text\n" + b"x" * 6_000_000)
    page.locator("#file_input").set_input_files(wrong)
    page.locator("#ask_file").click()
    page.get_by_text("picture.txt: not a text file").wait_for()
    page.locator("#file_input").set_input_files(large)
    page.locator("#ask_file").click()
    page.get_by_text(ZH["error_too_large"].format(limit="5,000,000")).wait_for()
    assert page.locator("#download").count() == 0


def test_an_answer_that_is_cut_off_is_reported(browser, server):
    with closing(browser.new_page()) as page:  # the error is in the console
        page.goto(server)
        page.route("**/api/explain", lambda route: route.fulfill(body='{"rumor_'))
        classify(page, POST)
        page.get_by_text(ZH["error_failure"]).wait_for()
        assert page.locator(".decision").count() == 0


def test_long_texts_are_refused_and_markup_is_escaped(page):
    classify(page, "停水" * 500_000)
    page.get_by_text(ZH["error_too_long"].format(limit="2,000", length="1,000,000")).wait_for()
    classify(page, "<script>document.title = 'taken'</script><img src=x onerror=document.title='taken'>停水")
    page.locator(".decision").wait_for()
    assert page.title() == ZH["title"]
    assert "<script>" in page.locator("#result").text_content()


def test_ten_stories_are_reviewed_by_keyboard_exported_and_trained_on(
    page, crawl, texts, tmp_path, barriers, tiny_encoder
):
    make_queue(page, crawl)
    assert page.locator("#kept").text_content() == ZH["temporary"]
    for key in "rnrnrnrnru":
        page.keyboard.press(key)
    page.get_by_text(ZH["progress"].format(done=10, all=10)).wait_for()
    page.keyboard.press("z")
    page.get_by_text(ZH["undone"].format(rank=10, verdict=ZH["no_verdict"])).wait_for()
    page.keyboard.press("k")
    page.keyboard.press("j")
    page.keyboard.press("n")
    page.get_by_text(ZH["decided"].format(rank=10, verdict=ZH["non-rumor"])).wait_for()
    assert barriers(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    page.reload()
    page.get_by_text(ZH["progress"].format(done=10, all=10)).wait_for()
    with page.expect_download() as download:
        page.locator("#export").click()
    desk, archive = tmp_path / "desk.jsonl", tmp_path / "archive.jsonl"
    download.value.save_as(desk)
    rows = [json.loads(line) for line in desk.read_text("utf-8").splitlines()]
    assert len({row["text"] for row in rows}) == len(rows) >= 10
    posts = ({"text": f"{number}{text}", "label": number % 2} for number, text in enumerate(texts))
    archive.write_text("".join(f"{json.dumps(post)}\n" for post in posts), encoding="utf-8")
    flags = ["--max_steps", "1", "--output_dir", str(tmp_path / "out"), "--report_to", "none"]
    model = ["--model_name_or_path", str(tiny_encoder)]
    assert main(["train", *model, "--data_path", str(archive), str(desk), *flags]) == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert report["data"]["num_posts"] == len(texts) + len(rows)


def test_the_buttons_do_the_same_as_the_keys(page, crawl):
    make_queue(page, crawl)
    first = page.locator("#stories li").first
    first.get_by_role("button", name=ZH["undecided"]).click()
    page.get_by_text(ZH["decided"].format(rank=1, verdict=ZH["undecided"])).wait_for()
    assert first.locator("[data-verdict=undecided]").get_attribute("aria-pressed") == "true"
    page.locator("#undo").click()
    page.get_by_text(ZH["undone"].format(rank=1, verdict=ZH["no_verdict"])).wait_for()
    page.locator("#undo").click()
    page.get_by_text(ZH["nothing_to_undo"]).wait_for()
    if page.locator("#keys").is_visible():  # not on a phone
        page.locator("#keys").uncheck()
        page.keyboard.press("r")
        page.locator("#keys").check()
    page.locator("#author").fill("run")  # letters in a field are no shortcuts
    page.locator("#author").press("r")
    assert page.get_by_text(ZH["progress"].format(done=0, all=10)).is_visible()


def test_two_tabs_do_not_overwrite_each_other(open_tab, server, crawl):
    one = open_tab(server)
    make_queue(one, crawl)
    other = open_tab(f"{server}#queue")
    other.get_by_text(ZH["progress"].format(done=0, all=10)).wait_for()
    one.locator("#stories li").first.get_by_role("button", name=ZH["rumor"], exact=False).first.click()
    one.get_by_text(ZH["decided"].format(rank=1, verdict=ZH["rumor"])).wait_for()
    other.locator("#stories li").first.get_by_role("button", name=ZH["non-rumor"]).click()
    other.get_by_text(ZH["error_conflict"].format(rank=1, verdict=ZH["rumor"])).wait_for()
    assert other.locator("#stories li").first.locator(".state").text_content() == ZH["verdict_is"].format(
        verdict=ZH["rumor"]
    )
    other.locator("#undo").click()  # not its own verdict
    other.get_by_text(ZH["nothing_to_undo"]).wait_for()


def test_a_verdict_that_was_not_seen_when_a_key_was_pressed_is_not_overwritten(open_tab, server, crawl):
    one = open_tab(server)
    make_queue(one, crawl)
    other, delayed = open_tab(f"{server}#queue"), []
    other.get_by_text(ZH["progress"].format(done=0, all=10)).wait_for()
    one.keyboard.press("r")
    one.get_by_text(ZH["decided"].format(rank=1, verdict=ZH["rumor"])).wait_for()
    other.route("**/api/queue?upload=*", lambda route: delayed.append(route))
    with other.expect_request("**/api/queue?upload=*"):
        other.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    other.keyboard.press("n")  # while the verdict of the other tab is being loaded
    delayed.pop().continue_()
    other.get_by_text(ZH["error_conflict"].format(rank=1, verdict=ZH["rumor"])).wait_for()
    assert stored_verdict(one) == "rumor"


def test_only_verdicts_of_the_tab_are_undone(open_tab, server, crawl):
    one = open_tab(server)
    make_queue(one, crawl)
    for verdict in ("rumor", "non-rumor", "undecided"):
        tab = open_tab(f"{server}#queue") if verdict == "non-rumor" else one
        show(tab, "model")
        show(tab, "queue")  # load what the other tab has decided
        tab.wait_for_load_state("networkidle")
        tab.locator(f"#stories li [data-verdict={verdict}]").first.click()
        tab.get_by_text(ZH["decided"].format(rank=1, verdict=ZH[verdict])).wait_for()
    one.locator("#undo").click()
    one.get_by_text(ZH["undone"].format(rank=1, verdict=ZH["non-rumor"])).wait_for()
    one.locator("#undo").click()
    one.get_by_text(ZH["nothing_to_undo"]).wait_for()
    assert stored_verdict(one) == "non-rumor"  # of the other tab


def test_an_undo_can_be_repeated_after_a_failure_and_in_an_earlier_queue(open_tab, server, crawl):
    page = open_tab(server)
    make_queue(page, crawl)
    page.keyboard.press("r")
    page.get_by_text(ZH["decided"].format(rank=1, verdict=ZH["rumor"])).wait_for()
    make_queue(page, crawl)
    page.keyboard.press("z")
    page.get_by_text(ZH["nothing_to_undo"]).wait_for()
    page.locator("#which").select_option(index=1)
    page.get_by_text(ZH["progress"].format(done=1, all=10)).wait_for()
    page.route("**/api/queue/undo", lambda route: route.fulfill(status=408, json={"code": "slow"}), times=1)
    page.locator("#undo").click()
    page.get_by_text(ZH["error_slow"]).wait_for()
    assert stored_verdict(page) == "rumor"
    page.locator("#undo").click()
    page.get_by_text(ZH["undone"].format(rank=1, verdict=ZH["no_verdict"])).wait_for()
    assert stored_verdict(page) == ""


def test_the_page_states_what_the_model_is(page, barriers):
    show(page, "model")
    page.get_by_text(ZH["no_report"]).wait_for()
    assert barriers(page) == []
    page.get_by_role("link", name=ZH["api"]).click()
    page.get_by_text("POST /api/predict").wait_for()
    assert barriers(page) == []


def test_the_page_asks_for_the_token_once(open_tab, start_server, folder, monkeypatch):
    monkeypatch.setenv(TOKEN, "s3cret")
    with start_server(folder) as (address, _):
        page = open_tab(address)
        for token, message in (("wrong", ZH["error_token"]), ("s3cret", "")):
            page.locator("#token").fill(token)
            page.locator("#token_form button").click()
            page.locator("#token_form").get_by_text(message).first.wait_for(state="visible" if message else "hidden")
        classify(page, POST)
        page.locator(".decision").wait_for()
        page.reload()
        classify(page, POST)
        page.locator(".decision").wait_for()
        assert "s3cret" not in page.url
        with closing(page.context.new_page()) as other:  # the token is kept for one tab
            other.goto(address)
            other.locator("#token").wait_for()
