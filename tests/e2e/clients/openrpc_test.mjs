// The document of the methods, by OpenRPC's own validator.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import schemaUtils from '@open-rpc/schema-utils-js';

const [address] = process.env.AGENTD_NODES.split(' ');

async function discover() {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'rpc.discover' });
  const answer = await fetch(`http://${address}/rpc`, { method: 'POST', body });
  return (await answer.json()).result;
}

test('what rpc.discover answers is an OpenRPC document', async () => {
  const document = await discover();
  assert.equal(document.openrpc, '1.3.2');
  assert.equal(schemaUtils.validateOpenRPCDocument(document), true);
  assert.ok(await schemaUtils.parseOpenRPCDocument(document));
});

test('/openrpc.json is the same document', async () => {
  assert.deepEqual(await (await fetch(`http://${address}/openrpc.json`)).json(), await discover());
});
