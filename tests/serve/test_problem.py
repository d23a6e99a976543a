from hf_rumor.serve.problem import Problem


def test_a_problem_is_a_reason_a_code_and_values():
    problem = Problem(413, "too_long", "expected at most 5 characters, got 6", limit=5, length=6)
    assert problem.status == 413
    assert problem.to_json() == {
        "error": "expected at most 5 characters, got 6",
        "code": "too_long",
        "limit": 5,
        "length": 6,
    }
