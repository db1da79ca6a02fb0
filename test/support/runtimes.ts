/**
 * How runtimes get the local port of an outgoing connection: a program each that opens 11 connections to each of two destinations, with and
 * without a source address, keeps those that it gets, and says how many they are and the first refusal.
 */
import { nodeProgram } from './internet.js';

const HOST = '192.0.2.10';
const TRIES = 11;

type Runtime = (source: string | null) => readonly string[];

const JAVA = `import java.net.*;
import java.util.*;
public class Census {
  public static void main(String[] arguments) throws Exception {
    List<Socket> held = new ArrayList<>();
    for (int port : new int[] {8080, 8081}) {
      int ok = 0;
      String failure = "";
      for (int i = 0; i < ${TRIES}; i++) {
        Socket socket = new Socket();
        try {
          if (arguments.length > 0) socket.bind(new InetSocketAddress(arguments[0], 0));
          socket.connect(new InetSocketAddress("${HOST}", port));
          held.add(socket);
          ok++;
        } catch (Exception error) {
          failure = String.valueOf(error);
        }
      }
      System.out.println(port + " " + ok + " " + failure);
    }
    System.out.println("done");
    Thread.sleep(60_000);
  }
}`;

const GO = `package main
import ("fmt"; "net"; "os"; "time")
func main() {
  var held []net.Conn
  dialer := net.Dialer{}
  if len(os.Args) > 1 { dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(os.Args[1])} }
  for _, port := range []int{8080, 8081} {
    ok, failure := 0, ""
    for i := 0; i < ${TRIES}; i++ {
      connection, err := dialer.Dial("tcp", fmt.Sprintf("${HOST}:%d", port))
      if err != nil { failure = err.Error(); continue }
      held = append(held, connection)
      ok++
    }
    fmt.Println(port, ok, failure)
  }
  fmt.Println("done")
  time.Sleep(time.Minute)
}`;

/** Sources that are compiled first, by the name of their file. */
export const SOURCES = { 'Census.java': JAVA, 'census.go': GO } as const;

const python =
  (open: string): Runtime =>
  (source) => [
    '/usr/bin/python3',
    '-c',
    `import time, socket, http.client
source = ${source === null ? 'None' : `('${source}', 0)`}
held = []
for port in (8080, 8081):
    ok, failure = 0, ''
    for i in range(${TRIES}):
        try:
            ${open}
            ok += 1
        except OSError as error: failure = repr(error)
    print(port, ok, failure, flush=True)
print('done', flush=True)
time.sleep(60)`,
  ];

const ruby =
  (open: string): Runtime =>
  (source) => [
    'ruby',
    '-rsocket',
    '-rnet/http',
    '-e',
    `$stdout.sync = true; source = ${source === null ? 'nil' : `'${source}'`}; held = []
[8080, 8081].each { |port| ok = 0; failure = ''
  ${TRIES}.times { begin; held << (${open}); ok += 1; rescue SystemCallError => error; failure = "#{error.class} #{error.message}"; end }
  puts "#{port} #{ok} #{failure}" }
puts 'done'; sleep 60`,
  ];

/** The file that was compiled stands for itself. */
export const RUNTIMES: Readonly<Record<string, Runtime>> = {
  'Node.js, net': (source) =>
    nodeProgram(`import net from 'node:net';
const held = [];
for (const port of [8080, 8081]) {
  let ok = 0, failure = '';
  for (let i = 0; i < ${TRIES}; i++)
    await new Promise((resolve) => {
      const socket = net.connect({ port, host: '${HOST}'${source === null ? '' : `, localAddress: '${source}'`} });
      socket.on('connect', () => { ok++; held.push(socket); resolve(); });
      socket.on('error', (error) => { failure = [error.code, error.syscall, error.message].join(' '); resolve(); });
    });
  console.log(port, ok, failure);
}
console.log('done');`),
  'Python, http.client': python(
    `connection = http.client.HTTPConnection('${HOST}', port, source_address=source); connection.connect(); held.append(connection)`,
  ),
  'Ruby, Net::HTTP': ruby(`http = Net::HTTP.new('${HOST}', port); http.local_host = source; http.start`),
  'Ruby, TCPSocket': ruby(`source ? TCPSocket.new('${HOST}', port, source) : TCPSocket.new('${HOST}', port)`),
  PHP: (source) => [
    'php',
    '-r',
    `$held = []; foreach ([8080, 8081] as $port) { $ok = 0; $failure = '';
for ($i = 0; $i < ${TRIES}; $i++) {
  $context = stream_context_create(${source === null ? '[]' : `['socket' => ['bindto' => '${source}:0']]`});
  $socket = @stream_socket_client("tcp://${HOST}:$port", $errno, $text, 5, STREAM_CLIENT_CONNECT, $context);
  if ($socket) { $held[] = $socket; $ok++; } else $failure = "$errno $text"; }
echo "$port $ok $failure\\n"; }
echo "done\\n"; sleep(60);`,
  ],
  // Its performance data are a file in /tmp by its pid, which another Java machine of another PID namespace has too, and it says so.
  'Java, Socket': (source) => [
    'java',
    '-XX:-UsePerfData',
    '-cp',
    '{classes}',
    'Census',
    ...(source === null ? [] : [source]),
  ],
  Go: (source) => ['{classes}/census', ...(source === null ? [] : [source])],
};
