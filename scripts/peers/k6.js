// What k6 does in scripts/bench-peers: so many iterations by so many users, each one exchange.
import http from "k6/http";

const put = __ENV.BODY ? open(__ENV.BODY) : null;

export const options = {
  scenarios: {
    bench: {
      executor: "shared-iterations",
      vus: Number(__ENV.USERS),
      iterations: Number(__ENV.EXCHANGES),
      maxDuration: "10m",
    },
  },
  noConnectionReuse: __ENV.ANEW === "1",
  discardResponseBodies: true,
  thresholds: { checks: ["rate==1"] },
};

export default function () {
  const answer = put ? http.put(`${__ENV.URL}${__VU}.txt`, put, { auth: "digest" }) : http.get(__ENV.URL, { timeout: "10m" });
  if (answer.status < 200 || answer.status > 299) {
    throw new Error(`status ${answer.status} ${answer.error}`);
  }
}

export function handleSummary(data) {
  return { stdout: `iterations ${data.metrics.iterations.values.count}\n` };
}
