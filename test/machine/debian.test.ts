import assert from 'node:assert/strict';
import { test } from 'node:test';
import { archiveIn } from '../../src/machine/debian.js';

const line = (uri: string, name: string) => `'${uri}' ${name} 0 \n`;

test('the archive is that of a Debian release, not of updates, of security or of somebody else', () => {
  const others = [
    line('https://deb.example.org/node_20.x/dists/nodistro/InRelease', 'node'),
    line('http://archive.example.org/ubuntu/dists/noble/InRelease', 'noble'),
    line('http://mirror.example.org/debian-security/dists/bookworm-security/InRelease', 'security'),
    line('http://mirror.example.org/updates/dists/bookworm-updates/InRelease', 'updates'),
  ].join('');
  assert.equal(archiveIn(others), undefined);
  const debian = line('http://mirror.example.org/debian/dists/bookworm/InRelease', 'bookworm');
  assert.equal(archiveIn(`${others}${debian}`), 'http://mirror.example.org/debian');
  assert.equal(archiveIn(''), undefined);
});
