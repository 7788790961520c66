// json-rpc-2.0, which brings no transport: fetch and a WebSocket.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import jsonRpc from 'json-rpc-2.0';
import { WebSocket } from 'ws';
import { followReadme, newCall } from './session.mjs';

const { JSONRPCClient, JSONRPCServer, JSONRPCServerAndClient } = jsonRpc;
const nodes = process.env.AGENTD_NODES.split(' ');

function overHttp(address) {
  const client = new JSONRPCClient(async (request) => {
    const answer = await fetch(`http://${address}/rpc`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(request),
    });
    if (answer.status === 200) client.receive(await answer.json());
    else assert.equal(answer.status, 204);
  });
  return client;
}

async function overWebSocket(context, address) {
  const socket = new WebSocket(`ws://${address}/ws`);
  const both = new JSONRPCServerAndClient(new JSONRPCServer(), new JSONRPCClient((request) => socket.send(JSON.stringify(request))));
  socket.on('message', (data) => both.receiveAndSend(JSON.parse(data)));
  context.after(() => socket.close());
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return both;
}

test('HTTP: the session', async () => {
  const [first, second] = nodes.map(overHttp);
  await followReadme((...call) => first.request(...call), (...call) => second.request(...call));
});

test('HTTP: a batch, and a notification', async () => {
  const client = overHttp(nodes[0]);
  client.notify('node.info', {});
  const answers = await client.requestAdvanced([7, 'seven', 0].map((id) => ({ jsonrpc: '2.0', id, method: 'node.info' })));
  assert.deepEqual(answers.map((answer) => answer.id), [7, 'seven', 0]);
});

test('WebSocket: the session', async (context) => {
  const [first, second] = await Promise.all(nodes.map((address) => overWebSocket(context, address)));
  await followReadme((...call) => first.request(...call), (...call) => second.request(...call));
});

test('WebSocket: call.settled calls the method of that name', async (context) => {
  const client = await overWebSocket(context, nodes[0]);
  const { agent } = await client.request('agent.create', { type: 'failer' });
  const call = newCall();
  const settled = new Promise((resolve) => client.addMethod('call.settled', resolve));
  client.notify('agent.call', { agent, call, input: 'no luck' });
  const params = await settled;
  assert.deepEqual([params.call, params.state, params.error.message], [call, 'failed', 'no luck']);
});
