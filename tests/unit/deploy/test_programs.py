"""Which programs that are not ours take part, and what they are told."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from deploy.errors import MissingProgramError, UsageError
from deploy.programs import alertmanager, grafana, jaeger, prometheus
from deploy.programs.catalogue import JAEGER_VERSION, PROGRAMS, Known
from deploy.programs.finding import built_jaeger, find
from deploy.programs.selection import NONE, Selection, with_programs
from deploy.programs.settings import ProgramSettings
from deploy.programs.site import Instance, Site
from deploy.topology import ADMIN_PORT, ALERTS, BACKEND, FAULTLINE, Topology

GO_MODULE = Path(jaeger.__file__).parents[2] / "observability" / "stack" / "jaeger" / "go" / "go.mod"


def there(known: Known) -> Path | None:
    return Path("/opt") / known.name


def nowhere(_: Known) -> Path | None:
    return None


def free(_: int) -> bool:
    return True


def executable(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o755)
    return file


def remarks(topology: Topology) -> dict[str, str]:
    return {each.name: each.file or each.instead for each in topology.programs}


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with nothing in it: `bin` is the PATH, `cache` the user's."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


class TestFinding:
    def test_by_any_of_its_names(self, machine: Path) -> None:
        assert find(PROGRAMS["alertmanager"]) is None
        debians = executable(machine / "bin" / "prometheus-alertmanager")
        assert find(PROGRAMS["alertmanager"]) == debians
        its_own = executable(machine / "bin" / "alertmanager")
        assert find(PROGRAMS["alertmanager"]) == its_own

    def test_jaeger_is_also_found_where_it_is_built_but_the_path_is_first(self, machine: Path) -> None:
        built = executable(machine / "cache" / "faultline" / "backends" / f"jaeger-{JAEGER_VERSION}" / "jaeger")
        assert (built_jaeger(), find(PROGRAMS["jaeger"])) == (built, built)
        installed = executable(machine / "bin" / "jaeger")
        assert find(PROGRAMS["jaeger"]) == installed

    @pytest.mark.usefixtures("machine")
    def test_what_cannot_be_run_is_not_found(self) -> None:
        executable(built_jaeger()).chmod(0o644)
        assert find(PROGRAMS["jaeger"]) is None

    def test_a_relative_cache_is_none(self, machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", "cache")
        monkeypatch.setenv("HOME", str(machine))
        assert built_jaeger().is_relative_to(machine / ".cache")

    def test_the_version_is_the_one_that_is_built(self) -> None:
        assert f"require github.com/jaegertracing/jaeger v{JAEGER_VERSION}\n" in GO_MODULE.read_text()


class TestSelection:
    def test_by_default_nothing_is_looked_for(self) -> None:
        assert with_programs(FAULTLINE, NONE, free, there) is FAULTLINE

    def test_all_that_are_installed_join_and_may_be_missing_later(self) -> None:
        joined = with_programs(FAULTLINE, Selection(installed=True), free, there)
        names = [each.name for each in joined.processes]
        assert names == [
            "jaeger",
            *(each.name for each in FAULTLINE.processes),
            "alertmanager",
            "prometheus",
            "grafana",
        ]
        assert {each.name for each in joined.processes if each.optional} == set(PROGRAMS)
        assert remarks(joined) == {name: f"/opt/{name}" for name in PROGRAMS}
        assert {each.key for each in joined.pages} >= {
            "jaeger_url",
            "prometheus_url",
            "alertmanager_url",
            "grafana_url",
        }

    def test_what_is_not_there_says_what_serves_instead(self) -> None:
        joined = with_programs(FAULTLINE, Selection(installed=True), free, nowhere)
        assert joined.processes == FAULTLINE.processes
        assert remarks(joined)["jaeger"] == "not found; the embedded backend serves traces"

    def test_only_what_is_required_where_no_others_are_wanted(self) -> None:
        joined = with_programs(FAULTLINE, Selection(("prometheus",)), free, there)
        assert [each.name for each in joined.processes if each.name in PROGRAMS] == ["prometheus"]
        assert not joined.process("prometheus").optional
        assert remarks(joined)["grafana"] == "/opt/grafana is not asked for; there are no dashboards"

    def test_every_required_one_that_is_missing_is_named(self) -> None:
        with pytest.raises(MissingProgramError) as caught:
            with_programs(FAULTLINE, Selection(("prometheus", "alertmanager"), installed=True), free, nowhere)
        assert caught.value.missing == ("alertmanager", "prometheus")
        assert "are required" in str(caught.value)
        assert "make backends" in str(caught.value)

    def test_an_unknown_one_is_refused_with_the_choice(self) -> None:
        with pytest.raises(UsageError, match="there is no program 'zipkin'; programs: jaeger, alertmanager, "):
            Selection(("zipkin",))

    def test_an_installed_one_whose_port_is_taken_is_left_alone(self) -> None:
        joined = with_programs(FAULTLINE, Selection(installed=True), lambda port: port != 9090, there)
        assert "prometheus" not in {each.name for each in joined.processes}
        assert remarks(joined)["prometheus"].startswith("/opt/prometheus is left alone, as port 9090 is taken; ")

    def test_a_required_one_does_not_give_way(self) -> None:
        joined = with_programs(FAULTLINE, Selection(("prometheus",), installed=True), lambda _: False, there)
        assert [each.name for each in joined.processes if each.name in PROGRAMS] == ["prometheus"]

    def test_spans_reach_jaeger_through_the_backend(self) -> None:
        joined = with_programs(FAULTLINE, Selection(("jaeger",)), free, there)
        assert [each.peer for each in joined.process(BACKEND).targets] == ["jaeger"]
        assert joined.process("orders") == FAULTLINE.process("orders")

    def test_who_tells_alerts_asks_prometheus_where_there_is_one(self) -> None:
        joined = with_programs(FAULTLINE, Selection(("prometheus",)), free, there)
        assert [(each.setting, each.peer) for each in joined.process(ALERTS).targets] == [
            ("PROMETHEUS_URL", "prometheus")
        ]
        assert with_programs(FAULTLINE, Selection(("jaeger",)), free, there).process(ALERTS) == FAULTLINE.process(
            ALERTS
        )

    def test_without_the_backend_jaeger_is_of_no_use(self) -> None:
        lonely = replace(FAULTLINE, processes=tuple(each for each in FAULTLINE.processes if each.name != BACKEND))
        joined = with_programs(lonely, Selection(installed=True), free, there)
        assert remarks(joined)["jaeger"].startswith("/opt/jaeger is left alone, as nobody here would send it spans; ")

    def test_no_port_is_given_twice(self) -> None:
        joined = with_programs(FAULTLINE, Selection(installed=True), free, there)
        ports = [each.port for process in joined.processes for each in process.listeners]
        assert len(set(ports)) == len(ports)


def instance(name: str, **listeners: int) -> Instance:
    return Instance(f"{name}-1", name, "127.0.0.1", listeners)


PROMETHEUS = instance("prometheus", HTTP_PORT=9090)
ALERTMANAGER = instance("alertmanager", HTTP_PORT=9093)
JAEGER = instance("jaeger", QUERY_PORT=1, OTLP_GRPC_PORT=2, OTLP_HTTP_PORT=3, SPAN_METRICS_PORT=4, TELEMETRY_PORT=5)
SERVICES = (
    Instance("orders-1", "orders", "127.0.0.1", {ADMIN_PORT: 9081, "HTTP_PORT": 8081}),
    Instance("orders-2", "orders", "127.0.0.1", {ADMIN_PORT: 20_001, "HTTP_PORT": 20_002}),
)


@pytest.fixture
def settings(tmp_path: Path) -> ProgramSettings:
    file = executable(tmp_path / "bin" / "grafana")
    return ProgramSettings(
        program_file=file, topology_file=file, data_folder=tmp_path / "data", service_instance_id="x-1", lifeline_fd=0
    )


def test_prometheus_scrapes_each_replica_and_program_and_tells_alertmanager(settings: ProgramSettings) -> None:
    start = prometheus.plan(settings, Site((*SERVICES, PROMETHEUS, ALERTMANAGER, JAEGER), PROMETHEUS))
    config = yaml.safe_load(start.files["prometheus.yml"])
    scraped = {
        (job["job_name"], target["labels"]["instance"], *target["targets"])
        for job in config["scrape_configs"]
        for target in job["static_configs"]
    }
    assert scraped == {
        ("faultline", "orders-1", "127.0.0.1:9081"),
        ("faultline", "orders-2", "127.0.0.1:20001"),
        ("jaeger-spanmetrics", "jaeger-1", "127.0.0.1:4"),
        ("jaeger", "jaeger-1", "127.0.0.1:5"),
        ("prometheus", "prometheus-1", "127.0.0.1:9090"),
        ("alertmanager", "alertmanager-1", "127.0.0.1:9093"),
    }
    assert config["storage"]["exemplars"]["max_exemplars"] > 0
    assert config["alerting"]["alertmanagers"] == [{"static_configs": [{"targets": ["127.0.0.1:9093"]}]}]
    assert "--web.listen-address=127.0.0.1:9090" in start.arguments
    assert any(each.startswith("--storage.tsdb.retention.size=") for each in start.arguments)


def test_prometheus_alone_scrapes_itself(settings: ProgramSettings) -> None:
    config = yaml.safe_load(prometheus.plan(settings, Site((PROMETHEUS,), PROMETHEUS)).files["prometheus.yml"])
    assert [each["job_name"] for each in config["scrape_configs"]] == ["prometheus"]
    assert "alerting" not in config


def test_alertmanager_notifies_who_runs_with_its_token(settings: ProgramSettings, tmp_path: Path) -> None:
    token = executable(tmp_path / "token")
    told = settings.model_copy(update={"notifications_token_file": token})
    receiver = instance(ALERTS, HTTP_PORT=8902)
    config = yaml.safe_load(
        alertmanager.plan(told, Site((ALERTMANAGER, receiver), ALERTMANAGER)).files["alertmanager.yml"]
    )
    ((webhook,),) = [each["webhook_configs"] for each in config["receivers"]]
    assert webhook["url"] == "http://127.0.0.1:8902/notifications"
    assert webhook["http_config"]["authorization"]["credentials_file"] == str(token)
    assert config["route"]["group_wait"] == "1s"
    assert config["inhibit_rules"]


def test_alertmanager_alone_notifies_nobody(settings: ProgramSettings) -> None:
    config = yaml.safe_load(alertmanager.plan(settings, Site((ALERTMANAGER,), ALERTMANAGER)).files["alertmanager.yml"])
    assert config["receivers"] == [{"name": "nobody"}]


def test_alertmanager_listens_on_the_loopback_alone(settings: ProgramSettings) -> None:
    start = alertmanager.plan(settings, Site((ALERTMANAGER,), ALERTMANAGER))
    assert {"--web.listen-address=127.0.0.1:9093", "--cluster.listen-address="} <= set(start.arguments)


@pytest.mark.parametrize("others", [(), (PROMETHEUS,)])
def test_jaeger_counts_spans_before_anything_and_keeps_bounded_memory(
    settings: ProgramSettings, others: tuple[Instance, ...]
) -> None:
    start = jaeger.plan(settings, Site((JAEGER, *others), JAEGER))
    config = yaml.safe_load(start.files["jaeger.yaml"])
    pipelines = config["service"]["pipelines"]
    assert pipelines["traces"]["exporters"] == ["jaeger_storage_exporter", "spanmetrics"]
    assert pipelines["metrics/spanmetrics"] == {"receivers": ["spanmetrics"], "exporters": ["prometheus"]}
    storage = config["extensions"]["jaeger_storage"]
    assert storage["backends"]["memory"]["memory"]["max_traces"] > 0
    assert ("metric_backends" in storage) == bool(others)
    receivers = config["receivers"]["otlp"]["protocols"]
    assert {receivers["grpc"]["endpoint"], receivers["http"]["endpoint"]} == {"127.0.0.1:2", "127.0.0.1:3"}


def test_grafana_is_told_where_its_sources_are_and_lets_look_but_not_change(settings: ProgramSettings) -> None:
    own = instance("grafana", HTTP_PORT=3000)
    backend = Instance(f"{BACKEND}-1", BACKEND, "127.0.0.1", {"QUERY_PORT": 16686})
    start = grafana.plan(settings, Site((own, PROMETHEUS, backend), own))
    assert start.arguments[0] == "server"
    assert start.environment["PROMETHEUS_URL"] == "http://127.0.0.1:9090"
    assert start.environment["JAEGER_URL"] == "http://127.0.0.1:16686"
    assert start.environment["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    assert start.environment["GF_USERS_VIEWERS_CAN_EDIT"] == "true"
    both = grafana.plan(settings, Site((own, JAEGER, backend), own))
    assert both.environment["JAEGER_URL"] == "http://127.0.0.1:1"


def test_nobody_is_an_administrator_of_grafana_and_it_fetches_nothing(settings: ProgramSettings) -> None:
    own = instance("grafana", HTTP_PORT=3000)
    given = grafana.plan(settings, Site((own,), own)).environment
    assert given["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"
    assert (given["GF_AUTH_DISABLE_LOGIN_FORM"], given["GF_AUTH_BASIC_ENABLED"]) == ("true", "false")
    assert given["GF_PLUGINS_PREINSTALL_DISABLED"] == "true"


def test_a_site_is_read_from_what_the_supervisor_wrote(tmp_path: Path) -> None:
    file = tmp_path / "topology.json"
    file.write_text(
        '{"processes": [{"instance": "a-1", "service": "a", "host": "::1", "listeners": {"HTTP_PORT": 7}}]}'
    )
    site = Site.read(file, "a-1")
    assert site.own.address("HTTP_PORT") == "[::1]:7"
    assert site.url("a", "HTTP_PORT") == "http://[::1]:7"
    assert site.url("b", "HTTP_PORT") is None
    assert site.with_listener("ADMIN_PORT") == []
