from hf_rumor.corpus.post import Repost
from hf_rumor.corpus.reposts import sort_reposts


def test_reposts_without_a_time_come_last_and_ties_keep_their_order():
    times = [("a", None), ("b", 5), ("c", -1), ("d", 5), ("e", None), ("f", 0)]
    reposts = [Repost(name, "", reposted_at) for name, reposted_at in times]
    assert "".join(repost.repost_id for repost in sort_reposts(reposts)) == "cfbdae"
