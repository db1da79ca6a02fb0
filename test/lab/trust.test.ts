// needs: curl, wget, python3-requests, ruby, php-cli, default-jdk-headless
/**
 * Runtimes take the lab's authority, each in its own way, without a change to the program.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { scratchFolder } from '../support/cli.js';
import { nodeProgram, onInternet } from '../support/internet.js';

const URL = 'https://api.example/';

const JAVA = `import java.net.URI;
import java.net.http.*;
public class Trust {
  public static void main(String[] arguments) throws Exception {
    var request = HttpRequest.newBuilder(URI.create("${URL}")).build();
    var answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
    System.out.println(answer.version() + " " + answer.body());
  }
}`;

const PROGRAMS: Readonly<Record<string, readonly [command: readonly string[], says: string]>> = {
  'Node.js, https': [
    nodeProgram(`import https from 'node:https';
https.get('${URL}', (answer) => answer.setEncoding('utf8').on('data', (text) => console.log(text)));`),
    'xxxxxx',
  ],
  'Python, urllib': [
    ['/usr/bin/python3', '-c', `import urllib.request as r; print(r.urlopen('${URL}').read().decode())`],
    'xxxxxx',
  ],
  'Python, requests': [['/usr/bin/python3', '-c', `import requests; print(requests.get('${URL}').text)`], 'xxxxxx'],
  Ruby: [['ruby', '-ropen-uri', '-e', `puts URI.open('${URL}').read`], 'xxxxxx'],
  PHP: [['php', '-r', `echo file_get_contents('${URL}');`], 'xxxxxx'],
  'curl, HTTP/2': [['curl', '-sS', '-w', ' %{http_version}', URL], 'xxxxxx 2'],
  'wget (GnuTLS)': [['wget', '-q', '-O', '-', URL], 'xxxxxx'],
};

describe('over TLS', { concurrency: 2 }, () => {
  for (const [name, [command, says]] of Object.entries(PROGRAMS)) {
    it(name, async () => {
      const run = await onInternet(command);
      assert.equal(run.stdout.trim(), says, run.stderr);
      assert.equal(run.stats.seen?.requests, 1);
    });
  }

  it('Java, HTTP/2', async (t) => {
    const file = join(scratchFolder(t), 'Trust.java');
    writeFileSync(file, JAVA);
    const run = await onInternet(['java', '-XX:-UsePerfData', file]);
    assert.equal(run.stdout.trim(), 'HTTP_2 xxxxxx', run.stderr);
  });

  it('a program that asks for another name than it connects to is refused by its own check, and one that trusts nobody too', async () => {
    const refusing = nodeProgram(`import tls from 'node:tls';
import https from 'node:https';
const tell = (error) => console.log(error.code);
https.get('${URL}', { ca: [] }, () => console.log('taken')).on('error', tell);
tls.connect({ host: 'api.example', port: 443, servername: 'www.example', checkServerIdentity: (_, { subjectaltname }) => console.log(subjectaltname) }, function () { this.end(); });`);
    const run = await onInternet(refusing);
    assert.deepEqual(
      run.stdout.trim().split('\n').sort(),
      ['DNS:www.example', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
      run.stderr,
    );
  });
});
