// A crawler that makes a pool of connections for each page. POOL=shared: one for the site.
import { Pool } from 'undici';

const { SITE = 'http://www.example', PAGES = '150', POOL = 'per-page' } = process.env;
const shared = new Pool(SITE, { connections: 1 });
const failures = {};

async function read(page) {
  const pool = POOL === 'shared' ? shared : new Pool(SITE);
  try {
    const { body } = await pool.request({ path: `/${page}`, method: 'GET' });
    await body.dump();
  } finally {
    if (pool !== shared) await pool.close();
  }
}

for (let page = 0; page < Number(PAGES); page++) {
  try {
    await read(page);
  } catch ({ code }) {
    failures[code] = (failures[code] ?? 0) + 1;
  }
}
await shared.close();
console.log(`${PAGES} pages, failures:`, failures);
process.exitCode = Object.keys(failures).length > 0 ? 1 : 0;
