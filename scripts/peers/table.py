"""From every round's figures to medians and ratios, as Markdown and as data."""

from dataclasses import dataclass
from statistics import median

OURS, BARE = "bootstorm", "bare loop"

TITLES = {
    "plain": "GET over a kept connection, plain HTTP",
    "tls": "GET over a kept connection, TLS 1.3",
    "handshake": "Full TLS 1.3 handshake and GET, a connection each",
    "put": "PUT with Digest (MD5, qop=auth) over a kept connection, plain HTTP",
}


@dataclass(frozen=True)
class Row:
    """One client's figures for one kind of work: the medians of its rounds."""

    client: str
    rounds: int
    cpu_us: float
    cpu_least: float
    cpu_most: float
    user: float | None
    kernel: float | None
    # This client's by ours, and by the bare loop's: medians of the rounds' own ratios.
    cpu_by_ours: float | None
    instructions_by_ours: float | None
    cpu_by_bare: float | None
    instructions_by_bare: float | None

    def as_dict(self):
        return dict(self.__dict__)


def rows(costs):
    """`costs`: by client, by round, what an exchange cost. Dearest last, by instructions if they were counted."""
    made = [_row(client, rounds, costs) for client, rounds in costs.items() if rounds]
    return sorted(made, key=lambda row: row.cpu_us if row.user is None else row.user + row.kernel)


def _row(client, rounds, costs):
    def by(other, what):
        both = [n for n in rounds if n in costs.get(other, {})]
        pairs = [(what(rounds[n]), what(costs[other][n])) for n in both]
        pairs = [(mine, theirs) for mine, theirs in pairs if mine is not None and theirs]
        return median(mine / theirs for mine, theirs in pairs) if pairs else None

    def middle(figures):
        return median(figures) if all(figure is not None for figure in figures) else None

    cpu = [cost.cpu_us for cost in rounds.values()]
    return Row(
        client=client, rounds=len(rounds), cpu_us=median(cpu), cpu_least=min(cpu), cpu_most=max(cpu),
        user=middle([cost.user for cost in rounds.values()]), kernel=middle([cost.kernel for cost in rounds.values()]),
        cpu_by_ours=by(OURS, lambda cost: cost.cpu_us), instructions_by_ours=by(OURS, lambda cost: cost.instructions),
        cpu_by_bare=by(BARE, lambda cost: cost.cpu_us), instructions_by_bare=by(BARE, lambda cost: cost.instructions),
    )


def markdown(told):
    """The whole page from what stands in the JSON file."""
    machine = told["machine"]
    lines = [
        f"# Against peers, {told['date']}",
        "",
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, Linux {machine['kernel']}, "
        f"load {machine['load_before']} before and {machine['load_after']} after; commit {told['commit']}. "
        f"Rounds: {told['rounds']}, clients in turn; processor time and instructions by {told['counted_by']}. "
        f"{told['connections']} connections; the client on processor {told['client_cpu']}, "
        f"the server on {told['server_cpu']}. How to read it: README.md beside this file.",
        "",
        "Versions: " + ", ".join(f"{name} {version}" for name, version in told["versions"].items()) + ".",
    ]
    if told.get("sources"):
        lines += ["", "Not from Debian or crates.io: " + "; ".join(f"{name}, {where}" for name, where in told["sources"].items()) + "."]
    not_taken = told.get("not_taken", {})
    if not_taken:
        lines += ["", "Not taken: " + "; ".join(f"{name} ({one['why']})" for name, one in not_taken.items()) + "."]
    if told["missing"]:
        lines += ["", "Not to be had here: " + "; ".join(f"{name} ({why})" for name, why in told["missing"].items()) + "."]
    for scenario, figures in told["figures"].items():
        lines += ["", f"## {TITLES[scenario]}", ""] + _costs(scenario, figures, told["claims"], not_taken)
    if told["held"]:
        lines += ["", "## Resident memory of a TLS connection in use", ""] + _held(told["held"], not_taken)
    wrong = [f"- {client}: {what}" for client, claim in told["claims"].items() for what in claim["wrong"]]
    if wrong:
        lines += ["", "## Not the same work, so compare with nothing", ""] + wrong
    if told["failures"]:
        lines += ["", "## What did not work", ""] + [f"- {failure}" for failure in told["failures"]]
    return "\n".join(lines) + "\n"


# What each kind of work is called where clients say which they do.
KINDS = {"plain": "get", "tls": "get", "handshake": "handshake", "put": "put"}


def _not_taken(names, kind, columns):
    """A row for each client that does such work and was not taken."""
    return [row for name, one in names.items() if kind in one["kinds"]
            for row in _row_of([name, "not taken", *["–"] * (columns - 2)])]


def _costs(scenario, figures, claims, not_taken):
    says = {"plain": [], "tls": ["chain verified"], "handshake": ["chain verified", "resumed", "resumes if let"],
            "put": ["challenged"]}[scenario]
    head = ["client", "µs", "least … most", "instructions", "program + kernel", "× ours, µs", "× ours, instr.",
            "× bare, µs", "× bare, instr.", "rounds", *says]
    lines = _row_of(head) + _row_of(["---"] + ["--:"] * 9 + ["---"] * len(says))
    for row in figures:
        counted = row["user"] is not None and row["kernel"] is not None
        lines += _row_of([
            f"**{row['client']}**" if row["client"] == OURS else row["client"],
            f"{row['cpu_us']:.1f}", f"{row['cpu_least']:.1f} … {row['cpu_most']:.1f}",
            _thousands(row["user"] + row["kernel"]) if counted else "–",
            f"{_thousands(row['user'])} + {_thousands(row['kernel'])}" if counted else "–",
            *(_ratio(row[key]) for key in ("cpu_by_ours", "instructions_by_ours", "cpu_by_bare", "instructions_by_bare")),
            str(row["rounds"]), *(_claim(say, claims.get(row["client"], {})) for say in says)])
    return lines + _not_taken(not_taken, KINDS[scenario], len(head))


def _claim(say, claims):
    if say == "chain verified":
        return {True: "yes", False: "no", None: "–"}[claims.get("verifies")]
    if say == "resumed":
        return "–" if "wrong" not in claims else "see below" if any("resumed" in w for w in claims["wrong"]) else "never"
    if say == "resumes if let":
        share = claims.get("resumes")
        return "–" if share is None else "no" if share == 0 else f"yes ({share:.0%})"
    challenges = claims.get("challenges")
    if challenges is None:
        return "–"
    return "every time" if challenges > 0.9 else "at first" if challenges < 0.5 else f"{challenges:.2f} a PUT"


def _held(held, not_taken):
    lines = _row_of(["client", "KiB a connection", "connections", "resident, MiB"]) + _row_of(["---", "--:", "--:", "--:"])
    for one in sorted(held, key=lambda one: one["octets_per_connection"]):
        lines += _row_of([
            f"**{one['client']}**" if one["client"] == OURS else one["client"],
            f"{one['octets_per_connection'] / 1024:.1f}", f"{one['few'][0]:,} to {one['many'][0]:,}",
            f"{one['few'][1] / 2**20:.1f} to {one['many'][1] / 2**20:.1f}"])
    return lines + _not_taken(not_taken, "held", 4)


def _row_of(cells):
    return ["| " + " | ".join(cells) + " |"]


def _thousands(figure):
    return f"{figure / 1000:,.1f} k"


def _ratio(figure):
    return "–" if figure is None else f"{figure:.2f}"
