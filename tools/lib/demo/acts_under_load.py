"""The second half of the show: what happens to a fleet, while a load runs over both proxies."""
import re
import signal
import socket
import threading
import time

from demo.acts_at_rest import HISTORY, names_of
from demo.load import Load
from demo.smuggle import smuggle
from demo.stage import END_SECONDS_MAX, GATEWAY, bearer, curl, line_of, replaced
from demo.told import heading, say, until

CLIENTS = 8
SECONDS_MAX = 40        # for a proxy to come back to its control plane: it tries again after pauses that grow


def show_under_load(stage, expectations):
    value = f"authorization: Bearer {stage.token()}"
    catalogue, history = ("/products/cup", []), (HISTORY, [value])
    with Load(stage, [catalogue, catalogue, catalogue, history], CLIENTS) as load:
        load.wait_for(25)
        for act in ACTS:
            load.during = act.__name__
            act(stage, expectations, load)
    programs = (*stage.proxies, stage.control_plane)
    ended = [program.folder.name for program in programs if program.process.poll() is not None]
    expectations.expect(not ended, "both proxies and the control plane run on", f"ended: {', '.join(ended)}")
    expectations.expect(not load.failures, f"{load.done} requests of the load, {len(load.failures)} failed",
                        "; ".join(load.failures[:5]))
    return load


def history_through_both(stage, expectations, what):
    expectations.expect_all(stage.curl(HISTORY, *bearer(stage.token())), lambda answer: answer.status == 200, what)


def share_of_second(counts):
    return 100 * counts[1] / max(1, sum(counts))


def show_shift(stage, expectations, load):
    heading("While a load runs over both proxies: a tenth of the catalogue goes to version 2")
    counts = load.catalogue(25)
    expectations.expect(all(first and not second for first, second in counts.values()),
                        "before: version 1 answers everything", counts)
    stage.unshifted = stage.revision
    said = stage.apply(stage.text)
    expectations.expect(stage.took(said), f"revision {stage.revision} runs on both, and nothing was restarted", said)
    for name, counted in load.catalogue(400).items():
        share = share_of_second(counted)
        expectations.expect(3 <= share <= 20, f"{name}: of {sum(counted)} answers {share:.0f} % came from version 2 "
                            "(asked for: 10 %)")


def show_refusal(stage, expectations, load):
    heading("A broken file")
    good, broken = "    backendRefs: [{name: user}]", {
        "a misspelt field": ("    backendRef: [{name: user}]", "unknown field `backendRef`"),
        "a cluster that is not there": ("    backendRefs: [{name: usr}]", "usr"),
    }
    for what, (bad, word) in broken.items():
        text = replaced(stage.text, good, bad)
        said = stage.apply(text)
        place = f"shop.yaml:{line_of(text, bad)}: "
        told = any(line.startswith(place) and word in line for line in said.error.splitlines())
        expectations.expect(said.code == 1 and told, f"{what} is refused, at {place[:-2]}", said)
    stage.config.write_text(stage.text)
    status = stage.porticoctl("status")
    expectations.expect(status.code == 0 and all_run(status, names_of(stage), stage.revision),
                        f"both proxies run revision {stage.revision} as before", status)
    expectations.expect(load.wait_for(25), "and go on answering")


def all_run(status, names, revision):
    """Whether every one is connected and runs what it is to run: NODE GATEWAY RUNNING WANTED LAG STATE."""
    return all(re.search(rf"(?m)^{name} +{GATEWAY} +{revision} +{revision} +0 +good ", status.out) for name in names)


SMUGGLED = {
    "Cluster/default/product": 'cluster { spec { endpoints { address: "127.0.0.1" port: 70000 } } }',
    "Route/default/to-https": '''route { spec { rules {
        name: "hello" matches { path { type: PATH_MATCH_TYPE_EXACT value: "/hello" } }
        filters { type: ROUTE_FILTER_TYPE_DIRECT_RESPONSE direct_response { status: 200 body: "hello" } } } } }''',
}


def show_smuggling(stage, expectations, load):
    heading("Something wrong gets past the control plane")
    stage.control_plane.process.terminate()
    stage.control_plane.exits()
    stage.revision = smuggle(stage.control_plane.store, SMUGGLED)
    say(f"  it was stopped; straight into its store a revision {stage.revision} was written: a third endpoint for product, at port "
        "70000; and,")
    say("  good in itself, a rule that answers /hello in clear; it is started again")
    stage.control_plane.start()
    refused = "refused Cluster default/product: spec.endpoints[2].port: "
    refusals = [f"{name} ({GATEWAY}) {refused}" for name in names_of(stage)]
    until(lambda: all(line in stage.porticoctl("status", quietly=True).out for line in refusals), SECONDS_MAX)
    status = stage.porticoctl("status")
    expectations.expect(status.code == 1 and all(line in status.out for line in refusals),
                        "both proxies refuse the cluster by its name and field; the status shows it, with exit code 1",
                        status)
    expectations.expect_all(stage.curl_in_clear("/hello"), lambda answer: answer.content == "hello",
                            "what else that revision holds is in force: /hello answers")
    expectations.expect(load.wait_for(50), "the catalogue goes on with the last good version of its cluster")
    history_through_both(stage, expectations, "curl gets the order history through both: 200")


def show_rollback(stage, expectations, load):
    before = stage.unshifted
    heading(f"Back to revision {before}")
    said = stage.porticoctl("rollback", str(before), "--wait")
    expectations.expect(stage.took(said), f"revision {stage.revision} holds what revision {before} held, and runs on both",
                        said)
    counts = load.catalogue(100)
    expectations.expect(all(first and not second for first, second in counts.values()),
                        "version 1 answers everything again", counts)
    status = stage.porticoctl("status")
    expectations.expect(status.code == 0 and all_run(status, names_of(stage), stage.revision) and "refused" not in status.out,
                        "nothing is refused any more", status)
    expectations.expect_all(stage.curl_in_clear("/hello"), lambda answer: answer.status == 302, "and /hello is gone")


def ejections(proxy, cluster):
    """How often the proxy has ejected an endpoint of a cluster."""
    found = re.search(rf'(?m)^portico_endpoint_ejections_total{{cluster="{cluster}"}} (\d+)$', proxy.metrics())
    return int(found[1]) if found else 0


def show_ejection(stage, expectations, load):
    heading("An instance is out of order: it answers 500 to everything")
    victim, failures = stage.service_processes["product-1"], len(load.failures)
    before = {proxy.name: ejections(proxy, "default/product") for proxy in stage.proxies}
    victim.send_signal(signal.SIGUSR1)
    ejected = until(lambda: all(ejections(proxy, "default/product") > before[proxy.name] for proxy in stage.proxies), 20)
    expectations.expect(ejected, "product-1 is ejected by both proxies, and left alone for two seconds at a time")
    expectations.expect(load.wait_for(100) and len(load.failures) == failures,
                        "what it refused was asked of the other one: no request has failed", load.failures[failures:])
    victim.send_signal(signal.SIGUSR1)
    begin = time.monotonic()
    back = until(lambda: all(any(one.instance == "product-1" for one in answers) for answers in load.since(begin).values()),
                 SECONDS_MAX)
    expectations.expect(back, "it is in order again; its time over, both ask it again")


def show_service_killed(stage, expectations, load):
    heading("A service dies in the middle of a composition")
    answers = {}
    thread = threading.Thread(target=lambda: answers.update(stage.curl(HISTORY, *bearer(stage.token()))))
    thread.start()
    time.sleep(0.06)        # curl starts, orders take 30 ms: now products are being asked
    victim = stage.service_processes["product-2"]
    victim.kill()
    victim.wait()
    thread.join()
    incomplete = answers["edge-1"].fields.get("portico-incomplete")
    expectations.expect_all(
        answers, lambda answer: answer.status == 200,
        "product-2 was killed; the order history under way is answered all the same" +
        (f", saying what it lacks: {incomplete}" if incomplete else ", complete"))
    expectations.expect(load.wait_for(100), "the load goes on, with the instance that is left")
    expectations.expect_all(stage.curl(HISTORY, *bearer(stage.token())),
                            lambda answer: answer.status == 200 and "portico-incomplete" not in answer.fields,
                            "the next order history is complete again")
    stage.start_service(next(one for one in stage.instances() if one.name == "product-2"))
    say("  product-2 is started again")


def show_control_plane_killed(stage, expectations, load):
    heading("The control plane is killed (kill -9)")
    stage.control_plane.kill()
    status = stage.porticoctl("status", "--timeout=2s")
    expectations.expect(status.code == 1 and "control plane unreachable" in status.error, "nobody answers porticoctl",
                        status)
    expectations.expect(load.wait_for(100), "traffic goes on through both proxies")
    history_through_both(stage, expectations, "curl gets the order history through both: 200")


def show_start_without_control_plane(stage, expectations, load):
    heading("A proxy starts while there is no control plane")
    proxy = stage.proxies[1]
    expectations.expect(load.take_out(proxy), f"{proxy.name} is taken out of the load first: what is under way is lost to a "
                        "kill -9, whoever balances")
    proxy.kill()
    expectations.expect(not accepts(proxy, stage.https), f"{proxy.name} is killed; nobody listens at its port")
    begin = len(proxy.log())
    proxy.start()
    proxy.wait_ready()
    kept = re.search(rf"\(revision {stage.revision}\) .* is in force", proxy.log()[begin:])
    expectations.expect(kept and accepts(proxy, stage.https), f"it is started, and is ready: it serves revision "
                        f"{stage.revision}, kept on disk ({proxy.state.name}, sealed)",
                        proxy.log()[begin:][-500:])
    load.put_back(proxy)
    expectations.expect(load.wait_for(50) and stage.control_plane.process.poll() is not None,
                        "it has its half of the load again, and there is still no control plane")
    answer = curl(stage, proxy, stage.url(HISTORY), *bearer(stage.token()))
    expectations.expect(answer.status == 200, "curl gets the order history through it: 200", answer)


def accepts(proxy, port):
    try:
        socket.create_connection((proxy.address, port), timeout=2).close()
        return True
    except OSError:
        return False


def show_control_plane_back(stage, expectations, load):
    heading("The control plane comes back")
    stage.control_plane.start()
    names = names_of(stage)
    back = until(lambda: all_run(stage.porticoctl("status", quietly=True), names, stage.revision), SECONDS_MAX)
    expectations.expect(back, f"both proxies came back by themselves, and run revision {stage.revision} as it knows it")
    said = stage.apply(stage.text)
    expectations.expect(stage.took(said),
                        f"a change reaches both again: revision {stage.revision} is the shift once more", said)
    counts = load.catalogue(100)
    expectations.expect(all(second for _, second in counts.values()), "version 2 answers again, through both", counts)


def show_drain(stage, expectations, load):
    heading("A proxy is told to stop (SIGTERM) under load")
    proxy = stage.proxies[1]
    begin = time.monotonic()
    proxy.process.terminate()
    expectations.expect(until(lambda: proxy.ask_admin("/ready") == 503, 5),
                        f"{proxy.name} says that it is not ready any more, and goes on for a second; the load turns away")
    code = proxy.exits()
    expectations.expect(code == 0, "it has ended by itself, with exit code 0", f"exit code {code}")
    say(f"  requests that it took and answered meanwhile: {len(load.since(begin)[proxy.name])}")
    proxy.start()
    proxy.wait_ready()
    expectations.expect(load.wait_for(50), "it is started again, and has its half of the load again")


def show_takeover(stage, expectations, load):
    heading("A proxy is replaced by a new process, and the load never turns away")
    proxy, begin, failures = stage.proxies[0], time.monotonic(), len(load.failures)
    old = proxy.process
    load.trusted.add(proxy)
    proxy.start()
    say(f"  {proxy.name}: pid {proxy.process.pid} is started beside pid {old.pid}, with the same flags, one of them "
        "--takeover=SOCKET")
    until(lambda: old.poll() is not None or proxy.process.poll() is not None, END_SECONDS_MAX)
    expectations.expect(old.returncode == 0,
                        "the old one has handed over its listening sockets, drained and ended, with exit code 0",
                        f"exit code {old.returncode}: {proxy.log()[-500:]}")
    meanwhile = len(load.since(begin)[proxy.name])
    expectations.expect(load.wait_for(50, proxy) and proxy.process.poll() is None and proxy.is_ready(),
                        f"the new one serves at the same addresses; requests answered there meanwhile: {meanwhile}")
    expectations.expect(len(load.failures) == failures, "none of them failed", load.failures[failures:])
    load.trusted.discard(proxy)
    names = names_of(stage)
    known = until(lambda: all_run(stage.porticoctl("status", quietly=True), names, stage.revision), SECONDS_MAX)
    expectations.expect(known and old.poll() is not None,
                        f"it has told the control plane that it runs revision {stage.revision}")


ACTS = (show_shift, show_refusal, show_smuggling, show_rollback, show_ejection, show_service_killed,
        show_control_plane_killed, show_start_without_control_plane, show_control_plane_back, show_drain, show_takeover)
