// rpc-websockets: calls, and what the node sends by itself.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from 'rpc-websockets';
import { followReadme, newCall } from './session.mjs';

const nodes = process.env.AGENTD_NODES.split(' ');

async function connect(context, address) {
  const client = new Client(`ws://${address}/ws`, { reconnect: false });
  await new Promise((resolve, reject) => {
    client.once('open', resolve);
    client.once('error', reject);
  });
  context.after(() => client.close());
  return client;
}

/** The params of the next such notification about that call. */
function told(client, method, call) {
  return new Promise((resolve) => client.on(method, (params) => params.call === call && resolve(params)));
}

test('the session', async (context) => {
  const [first, second] = await Promise.all(nodes.map((address) => connect(context, address)));
  await followReadme((...call) => first.call(...call), (...call) => second.call(...call));
});

test('a call that is a notification brings call.settled', async (context) => {
  const client = await connect(context, nodes[0]);
  const { agent } = await client.call('agent.create', { type: 'echo' });
  const call = newCall();
  const settled = told(client, 'call.settled', call);
  await client.notify('agent.call', { agent, call, input: 'hi' });
  const params = await settled;
  assert.equal(params.state, 'done');
  assert.equal(params.value.content, 'hi');
});

test('a refused notification brings call.settled with the refusal', async (context) => {
  const client = await connect(context, nodes[0]);
  const call = newCall();
  const settled = told(client, 'call.settled', call);
  await client.notify('agent.call', { agent: 'nobody-at-all', call });
  assert.equal((await settled).error.code, -32010);
});

test('a subscriber is told of another connection’s call', async (context) => {
  const [maker, watcher] = await Promise.all([connect(context, nodes[0]), connect(context, nodes[0])]);
  const { agent } = await maker.call('agent.create', { type: 'sleeper', args: { seconds: 0.2 } });
  const call = newCall();
  const settled = told(watcher, 'call.settled', call);
  await watcher.call('call.subscribe', { calls: [call], grace_ms: 10000 });
  await maker.call('agent.call', { agent, call, input: [1, { two: 2 }], settled: 'state' });
  assert.equal((await settled).state, 'done');
});
