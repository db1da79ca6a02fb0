// A service that fetches orders from an API, one after the other. It makes a client for each request and closes it afterwards, as the
// example of many an SDK does. AGENT=shared: one client for all.
import http from 'node:http';

const { API = 'http://api.example/orders', REQUESTS = '150', AGENT = 'per-request' } = process.env;
const shared = new http.Agent({ keepAlive: true });
const failures = {};

function fetchOrder(id) {
  const agent = AGENT === 'shared' ? shared : new http.Agent({ keepAlive: true });
  return new Promise((resolve, reject) => {
    http
      .get(`${API}/${id}`, { agent }, (answer) => answer.resume().on('end', resolve).on('error', reject))
      .on('error', reject);
  }).finally(() => {
    if (agent !== shared) agent.destroy();
  });
}

for (let id = 0; id < Number(REQUESTS); id++) {
  try {
    await fetchOrder(id);
  } catch ({ code }) {
    failures[code] = (failures[code] ?? 0) + 1;
  }
}
shared.destroy();
console.log(`${REQUESTS} orders, failures:`, failures);
process.exitCode = Object.keys(failures).length > 0 ? 1 : 0;
