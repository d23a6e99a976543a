import csv
from dataclasses import replace

import pytest

from hf_rumor.audit.audit import audit_corpus
from hf_rumor.audit.text import failures, readable, to_text, write_tables
from hf_rumor.cli import main as cli
from hf_rumor.corpus.arrow import load_corpus


NEW_YEAR_2013 = 1356969600  # 00:00 in China


def make_planted(make_posts):
    """Return 120 posts: rumors at 23 o'clock with an invisible mark, others at 11, and copies of 20 rumors."""
    posts = [
        replace(
            post,
            text=f"{post.text}\u200b" if post.is_rumor else post.text,
            posted_at=NEW_YEAR_2013 + 3600 * (number * 24 + (23 if post.is_rumor else 11)),
        )
        for number, post in enumerate(make_posts(100))
    ]
    copies = [
        replace(post, post_id=f"copy{number}", text=post.text if number % 2 else f"{post.text}转")
        for number, post in enumerate(posts[1:40:2])
    ]
    return posts + copies


@pytest.fixture(scope="module")
def corpus(make_posts, write_ced, tmp_path_factory):
    folder = tmp_path_factory.mktemp("planted")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_RUMOR_CACHE", str(folder / "cache"))
        yield load_corpus(write_ced(folder / "ced", make_planted(make_posts)))


@pytest.fixture(scope="module")
def audited(corpus):
    return audit_corpus(corpus, 0)


def test_the_text_has_the_numbers_of_the_audit(audited):
    audit = audited.audit
    text = to_text(audit)
    assert text.startswith(f"{audit.path}  SHA-256 {audit.sha256}\nposts: 70 rumor, 50 non-rumor\n")
    assert "groups: 20 (largest: 2 posts); posts in groups: 40 rumors, 0 non-rumors; exact copies: 10" in text
    leaking, test = audit.leakage["random"]["leaking"], audit.leakage["random"]["test"]
    assert f"  random             {leaking} of {test} ({leaking / test:.1%})" in text
    assert "  grouped            0 of " in text
    assert "  hour of posting                    1.000" in text
    assert "(majority class: 0.583)" in text
    assert ["2013", "70", "50"] in [line.split() for line in text.splitlines()]


def test_the_text_lists_the_findings(tmp_path, write_ced, make_posts):
    root = write_ced(tmp_path / "ced", make_posts(50))
    (root / ".DS_Store").touch()
    assert "\n  1 hidden files skipped (leftovers of macOS): .DS_Store\n" in to_text(
        audit_corpus(load_corpus(root), 0).audit
    )


@pytest.mark.parametrize(("header", "row"), [("characters per post", "  non-rumor  "), ("year  ", "  2013  ")])
def test_numbers_stand_under_their_headers(audited, header, row):
    lines = to_text(audited.audit).split("near-duplicates")[0].splitlines()
    [header_length], [row_length] = (
        [len(line) for line in lines if line.startswith(words)] for words in (header, row)
    )
    assert row_length == header_length


def test_an_invisible_giveaway_is_shown_as_its_code_point(audited):
    assert "  rumor              U+200B (50, 0)" in to_text(audited.audit)
    assert "alone (U+200B): 100.0%; majority class: 50.0%." in to_text(audited.audit)
    assert readable("看\u200b\n") == "看U+200BU+000A"


def test_leakage_fails_for_the_chosen_split_only(audited):
    leaking = audited.audit.leakage["random"]["leaking"]
    assert failures(audited.audit, "random", ["leakage", "conflicts"]) == [
        f"leakage: {leaking} of 24 test posts of --split random have a near-duplicate in training"
    ]
    assert failures(audited.audit, "grouped", ["leakage", "conflicts"]) == []
    assert failures(audited.audit, "random", []) == []


def test_conflicts_between_near_duplicates_or_equal_texts_fail(audited):
    for conflicts in ({"groups": 1, "posts_left_out": 0}, {"groups": 0, "posts_left_out": 2}):
        audit = replace(audited.audit, conflicts=conflicts)
        assert failures(audit, "grouped", ["leakage"]) == []
        [line] = failures(audit, "grouped", ["leakage", "conflicts"])
        assert line.startswith("conflicts: ")


def test_a_split_that_is_not_possible_fails(audited):
    audit = replace(audited.audit, leakage={"grouped": {"not_possible": "too few"}})
    assert failures(audit, "grouped", ["leakage"]) == ["leakage: --split grouped is not possible: too few"]


def read(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_the_tables_agree_with_the_audit(audited, corpus, tmp_path):
    paths = {path.stem: path for path in write_tables(audited, corpus.posts, tmp_path / "new")}
    assert sorted(paths) == ["giveaways", "label_errors", "near_duplicates"]
    assert paths["label_errors"].read_bytes().startswith(b"\xef\xbb\xbf")
    groups, errors = read(paths["near_duplicates"]), read(paths["label_errors"])
    assert len(groups) == 40
    assert {row["group"] for row in groups} == {str(number) for number in range(1, 21)}
    assert all(row["both_labels"] == "no" and row["label"] == "rumor" for row in groups)
    assert all(float(row["similarity_to_first"]) >= 0.5 for row in groups)
    assert len(errors) == 120
    assert sum(row["likely_error"] == "yes" for row in errors) == audited.audit.label_errors["likely"]
    assert read(paths["giveaways"])[0] == {
        "label": "rumor",
        "piece": "U+200B",
        "rumors": "50",
        "non_rumors": "0",
        "accuracy_alone": "1.0000",
    }


def test_a_text_cannot_be_a_formula(audited, corpus, tmp_path):
    evil = corpus.posts.map(lambda post: {"text": f"=cmd|{post['text']}"}, keep_in_memory=True)
    write_tables(audited, evil, tmp_path)
    assert all(row["text"].startswith("'=cmd") for row in read(tmp_path / "near_duplicates.csv"))


def test_the_command_fails_after_all_is_printed_and_written(tmp_path, write_ced, make_posts, capsys):
    path = str(write_ced(tmp_path / "ced", make_planted(make_posts)))
    flags = ["audit", "--data_path", path, "--output_dir", str(tmp_path / "tables"), "--fail_on", "leakage,conflicts"]
    assert cli.main(flags) == 0
    assert cli.main([*flags, "--split", "random"]) == 1
    printed = capsys.readouterr()
    assert printed.out.count("posts: 70 rumor") == 2
    assert "audit: failed on leakage: " in printed.err
    assert len(list((tmp_path / "tables").iterdir())) == 3


@pytest.mark.parametrize("flags", [["--fail_on", "leaks"], ["--fail_on", ""], ["--split", "shuffled"]])
def test_an_unknown_kind_of_failure_is_refused(flags, capsys):
    assert cli.main(["audit", *flags]) == 2
    assert "Traceback" not in capsys.readouterr().err
