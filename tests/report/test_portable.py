from dataclasses import replace

from hf_rumor.report.portable import portable


def test_the_folders_of_teacher_and_unlabeled_posts_are_not_published(make_report, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "desk" / "large").mkdir(parents=True)
    report = make_report()
    places = {"teacher": "desk/large", "unlabelled_path": "desk/posts.jsonl"}
    train = replace(report.train, hyper_parameters=report.train.hyper_parameters | places)
    published = portable(replace(report, recipe=report.recipe | places, train=train))
    for flags in (published.recipe, published.train.hyper_parameters):
        assert (flags["teacher"], flags["unlabelled_path"]) == ("large", "posts.jsonl")
    on_the_hub = replace(report, recipe=report.recipe | {"teacher": "user/model"})
    assert portable(on_the_hub).recipe["teacher"] == "user/model"
