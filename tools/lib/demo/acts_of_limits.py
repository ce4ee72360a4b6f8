"""How often callers may come. One request at a time, each through both proxies."""
from demo.acts_at_rest import names_of
from demo.stage import bearer
from demo.told import aside, heading

TEAPOT = "/teapot"
TEAPOTS = 5         # that shop.yaml grants an address in a minute, at each proxy


def show_limit(stage, expectations):
    heading(f"How often ({TEAPOTS} teapots a minute for each address)")
    token = bearer(stage.token())
    poured = [stage.curl(TEAPOT, *token) for _ in range(TEAPOTS)]
    for proxy in names_of(stage):
        statuses = [answers[proxy].status for answers in poured]
        expectations.expect(statuses == [418] * TEAPOTS, f"{proxy}: {TEAPOTS} are answered 418", statuses)
    answers = stage.curl(TEAPOT, *token)
    fields = answers["edge-1"].fields
    expectations.expect_all(answers, lambda answer: answer.status == 429 and "retry-after" in answer.fields,
                            f"the next is one too many: 429, retry-after: {fields.get('retry-after')}")
    aside(f"ratelimit-policy: {fields.get('ratelimit-policy')}; ratelimit: {fields.get('ratelimit')}")
