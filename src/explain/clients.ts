/**
 * HTTP clients by what they say of themselves, and the line in a program that makes each of them use its connections again. Measured with
 * 43 clients and proxies. Pure.
 */
interface Client {
  readonly name: string;
  /** Its User-Agent, unless the program sets another. */
  readonly agent: RegExp;
  /** Of one that sends none: the name of the program that it is in. */
  readonly program?: RegExp;
  /** What keeps its connections: a line of code, or a few. */
  readonly line: string;
}

const CLIENTS: readonly Client[] = [
  {
    name: 'axios',
    agent: /^axios\//,
    line: "call the final URL, since a redirect costs a port: maxRedirects: 0, and follow it yourself, or adapter: 'fetch'; and one http.Agent({ keepAlive: true }) for all",
  },
  {
    name: 'node-fetch',
    agent: /^node-fetch/,
    line: 'one http.Agent({ keepAlive: true }) as agent of all calls, and the final URL: a redirect costs a port',
  },
  {
    name: 'needle',
    agent: /^Needle\//,
    line: 'needle.defaults({ agent: new http.Agent({ keepAlive: true }) }), and the final URL',
  },
  {
    name: 'superagent',
    agent: /^node-superagent\//,
    line: '.agent(new http.Agent({ keepAlive: true })) on each request, one agent for all',
  },
  { name: 'got', agent: /^got\b/, line: 'agent: { http: new http.Agent({ keepAlive: true }) }, one for all' },
  {
    name: 'fetch or undici',
    agent: /^(?:node|undici)$/,
    line: 'read each body to its end (text(), arrayBuffer()), GET in place of HEAD; an Agent of undici with connections: N caps the ports',
  },
  {
    name: 'requests',
    agent: /^python-requests\//,
    line: "one requests.Session() for all, with session.mount('http://', HTTPAdapter(pool_maxsize=THREADS)); read each body",
  },
  {
    name: 'urllib3',
    agent: /^python-urllib3\//,
    line: 'one PoolManager(maxsize=THREADS) for all; read each body, or drain_conn()',
  },
  {
    name: 'urllib.request',
    agent: /^Python-urllib\//,
    line: 'urllib.request cannot keep connections: use http.client, requests.Session() or httpx.Client()',
  },
  { name: 'httpx', agent: /^python-httpx\//, line: 'one httpx.Client() or AsyncClient() for the process' },
  { name: 'aiohttp', agent: /aiohttp\//, line: 'one ClientSession for the process; read each body to its end' },
  {
    name: 'Go net/http',
    agent: /^Go-http-client\//,
    line: 'io.Copy(io.Discard, resp.Body) before resp.Body.Close(), one http.Transport for all, and MaxIdleConnsPerHost as large as the number of requests at once (it is 2)',
  },
  {
    name: 'Java HttpClient',
    agent: /^Java-http-client\//,
    line: 'one HttpClient for the process, and BodyHandlers.discarding() for bodies that are not read',
  },
  {
    name: 'HttpURLConnection',
    agent: /^Java\//,
    line: 'close getInputStream() or getErrorStream() after reading, no disconnect(); -Dhttp.maxConnections=N for more than 5',
  },
  {
    name: 'Ruby Net::HTTP',
    agent: /^Ruby$/,
    line: 'Net::HTTP.start(host, port) { |http| … } around all requests, with keep_alive_timeout = 30',
  },
  { name: 'LWP', agent: /^libwww-perl\//, line: 'LWP::UserAgent->new(keep_alive => 1), one for all' },
  { name: 'HTTP::Tiny', agent: /^HTTP-Tiny\//, line: 'one HTTP::Tiny object for all' },
  {
    name: 'curl',
    agent: /^curl\//,
    line: 'many URLs in one command, or one handle for all in a program; --fail-with-body for --fail',
  },
  { name: 'wget', agent: /^Wget\//, line: 'many URLs in one command' },
  {
    name: 'node:http',
    agent: /^$/,
    program: /^(?:node|nodejs)$/,
    line: 'one http.Agent({ keepAlive: true }) for the process, and none for each request; res.resume() always',
  },
];

export interface RecognisedClient {
  readonly name: string;
  readonly line: string;
}

/**
 * The client that made most of the requests, if it is one of those that are known.
 * @param agents User-Agent → requests; "": none was sent
 * @param program the name of the program, without its folder
 */
export function recogniseClient(agents: Readonly<Record<string, number>>, program: string): RecognisedClient | null {
  const [most] = Object.entries(agents).sort(([, m], [, n]) => n - m);
  if (most === undefined) return null;
  const found = CLIENTS.find(({ agent, program: of }) => agent.test(most[0]) && (of?.test(program) ?? true));
  return found ? { name: found.name, line: found.line } : null;
}
