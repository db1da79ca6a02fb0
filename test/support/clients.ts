/**
 * HTTP clients as people write them: so many requests to one URL, one after the other or in waves. Each says `done`, and then keeps what it
 * has open.
 */
import { nodeProgram } from './internet.js';

interface Work {
  readonly url: string;
  readonly requests: number;
  /** Requests at once, of which all are awaited before the next: a fan-out. */
  readonly wave?: number;
}

type Client = (work: Work) => readonly string[];

/** @param ask an expression of a promise, of `url` */
function node(imports: string, ask: string): Client {
  return ({ url, requests, wave = 1 }) =>
    nodeProgram(`${imports}
const url = ${JSON.stringify(url)};
const ask = () => ${ask};
for (let i = 0; i < ${requests}; i += ${wave}) await Promise.all(Array.from({ length: ${wave} }, ask));
console.log('done');
setInterval(() => {}, 60_000);`);
}

/** @param more lines before; `ask` a statement, of `url` */
function python(more: string, ask: string): Client {
  return ({ url, requests, wave = 1 }) => [
    '/usr/bin/python3',
    '-c',
    `import sys, time
from concurrent.futures import ThreadPoolExecutor
${more}
url = ${JSON.stringify(url)}
def ask(_):
    ${ask}
if ${wave} == 1:
    for i in range(${requests}): ask(i)
else:
    pool = ThreadPoolExecutor(${wave})
    for i in range(${requests} // ${wave}): list(pool.map(ask, range(${wave})))
print('done', flush=True)
time.sleep(60)`,
  ];
}

const HTTP_GET = (options: string, read: string) => `new Promise((resolve, reject) =>
  http.get(url, ${options}, (answer) => { ${read} }).on('error', reject))`;
const RESUME = "answer.resume().on('end', resolve)";

/** By the name of the client and how it is used, as in the table of the tests. */
export const CLIENTS = {
  'node http.get': node("import http from 'node:http';", HTTP_GET('{}', RESUME)),
  'node http.get, Agent keepAlive': node(
    "import http from 'node:http'; const agent = new http.Agent({ keepAlive: true });",
    HTTP_GET('{ agent }', RESUME),
  ),
  'node http.get, agent: false': node("import http from 'node:http';", HTTP_GET('{ agent: false }', RESUME)),
  'node http.get, body not read': node("import http from 'node:http';", HTTP_GET('{}', 'resolve()')),
  'node fetch': node('', 'fetch(url).then((answer) => answer.text())'),
  'node fetch, body not read': node('const kept = [];', 'fetch(url).then((answer) => { kept.push(answer); })'),
  'node fetch HEAD': node('', "fetch(url, { method: 'HEAD' }).then((answer) => answer.text())"),
  'node http HEAD': node("import http from 'node:http';", HTTP_GET("{ method: 'HEAD' }", RESUME)),
  'python requests.get': python('import requests', 'requests.get(url)'),
  'python requests.Session': python('import requests; session = requests.Session()', 'session.get(url)'),
  'python requests.Session HEAD': python('import requests; session = requests.Session()', 'session.head(url)'),
  // Nobody keeps the answer, so that it is closed as soon as it is there.
  'python requests.Session, body not read': python(
    'import requests; session = requests.Session()',
    'session.get(url, stream=True)',
  ),
  'python urllib.request': python(
    'import urllib.request, urllib.error',
    `
    try: urllib.request.urlopen(url).read()
    except urllib.error.HTTPError as error: error.read()`,
  ),
  'ruby Net::HTTP.get': ({ url, requests }) => [
    'ruby',
    '-rnet/http',
    '-e',
    `url = URI(${JSON.stringify(url)}); ${requests}.times { Net::HTTP.get(url) }; puts 'done'; $stdout.flush; sleep 60`,
  ],
  'ruby Net::HTTP.start': ({ url, requests }) => [
    'ruby',
    '-rnet/http',
    '-e',
    `url = URI(${JSON.stringify(url)}); http = Net::HTTP.start(url.host, url.port)
${requests}.times { http.get('/') }; puts 'done'; $stdout.flush; sleep 60`,
  ],
  'perl LWP': ({ url, requests }) => [
    'perl',
    '-MLWP::UserAgent',
    '-e',
    `$| = 1; my $agent = LWP::UserAgent->new; $agent->get('${url}') for 1..${requests}; print "done\\n"; sleep 60`,
  ],
  'perl HTTP::Tiny': ({ url, requests }) => [
    'perl',
    '-MHTTP::Tiny',
    '-e',
    `$| = 1; my $agent = HTTP::Tiny->new; $agent->get('${url}') for 1..${requests}; print "done\\n"; sleep 60`,
  ],
  'perl LWP keep_alive': ({ url, requests }) => [
    'perl',
    '-MLWP::UserAgent',
    '-e',
    `$| = 1; my $agent = LWP::UserAgent->new(keep_alive => 1); $agent->get('${url}') for 1..${requests}; print "done\\n"; sleep 60`,
  ],
  'php file_get_contents': ({ url, requests }) => [
    'php',
    '-r',
    `for ($i = 0; $i < ${requests}; $i++) @file_get_contents('${url}'); echo "done\\n"; sleep(60);`,
  ],
  'curl, one command': ({ url, requests }) => ['curl', '-sS', '-L', '-o', '/dev/null', `${url}?[1-${requests}]`],
  'curl -I, one command': ({ url, requests }) => ['curl', '-sS', '-I', '-o', '/dev/null', `${url}?[1-${requests}]`],
  'curl --fail, one command': ({ url, requests }) => ['curl', '-s', '-f', '-o', '/dev/null', `${url}?[1-${requests}]`],
  'curl, a process each': ({ url, requests }) => [
    'sh',
    '-c',
    `for i in $(seq ${requests}); do curl -sS -o /dev/null ${url}; done`,
  ],
  'wget --spider, one command': ({ url, requests }) => [
    'wget',
    '-q',
    '--spider',
    ...Array.from({ length: requests }, () => url),
  ],
  'wget, one command': ({ url, requests }) => [
    'wget',
    '-q',
    '-O',
    '/dev/null',
    ...Array.from({ length: requests }, () => url),
  ],
} satisfies Record<string, Client>;
