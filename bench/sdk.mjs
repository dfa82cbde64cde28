// The official SDK in the benchmarks.
//
// usage: node sdk.mjs insert LIST FILE    posts the bodies of the file, one a line
//        node sdk.mjs select LIST ROWS    pages through so many contacts
//
// Prints "seconds: N", the time spent in the SDK's own calls: the rows to send are
// read and parsed outside of it.  Environment: GC_SIM_URL, GC_NODE_MODULES.

import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const require = createRequire(`${process.env.GC_NODE_MODULES}/`);
const platformClient = require('purecloud-platform-client-v2');
const sim = new URL(process.env.GC_SIM_URL);
const [mode, list, what] = process.argv.slice(2);

const client = platformClient.ApiClient.instance;
client.config.live_reload_config = false;
client.setGateway({ host: sim.hostname, protocol: 'http', port: Number(sim.port) });
await client.loginClientCredentialsGrant('id', 'secret');
const outbound = new platformClient.OutboundApi();

let seconds = 0;

async function timed(call) {
  const begun = performance.now();
  const answer = await call();
  seconds += (performance.now() - begun) / 1000;
  return answer;
}

async function insert() {
  for await (const line of createInterface({ input: createReadStream(what) })) {
    const contacts = JSON.parse(line);
    const echo = await timed(() => outbound.postOutboundContactlistContacts(list, contacts));
    if (echo.length !== contacts.length) throw new Error('a contact is missing in the answer');
  }
}

async function select() {
  let rows = 0;
  for (let pageNumber = 1; rows < Number(what); pageNumber++) {
    const page = await timed(() => outbound.postOutboundContactlistContactsSearch(list, { pageNumber, pageSize: 100 }));
    if (page.entities.length === 0) throw new Error('an empty page');
    rows += page.entities.length;
  }
}

await (mode === 'insert' ? insert() : select());
console.log(`seconds: ${seconds.toFixed(3)}`);
process.exit(0);
