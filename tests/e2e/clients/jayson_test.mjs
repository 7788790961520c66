// jayson: HTTP, WebSocket, batches, and its command line.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import jayson from 'jayson/promise/index.js';
import { WebSocket } from 'ws';
import { followReadme } from './session.mjs';

const nodes = process.env.AGENTD_NODES.split(' ');

async function result(client, method, params = {}) {
  const answer = await client.request(method, params);
  if (answer.error) throw answer.error;
  return answer.result;
}

function overHttp(address) {
  const [host, port] = address.split(':');
  return jayson.Client.http({ host, port, path: '/rpc' });
}

async function overWebSocket(context, address) {
  const ws = new WebSocket(`ws://${address}/ws`);
  context.after(() => ws.close());
  await new Promise((resolve, reject) => ws.once('open', resolve).once('error', reject));
  return jayson.Client.websocket({ ws });
}

async function batch(client) {
  const names = ['node.info', 'type.list', 'no.such.method', 'agent.list'];
  const requests = names.map((name) => client.request(name, {}, undefined, false));
  const answers = await client.request(requests);
  const of = (n) => answers.find((answer) => answer.id === requests[n].id);
  assert.equal(answers.length, 4);
  assert.equal(of(0).result.name, 'agentd');
  assert.ok(of(1).result.types.length > 5);
  assert.equal(of(2).error.code, -32601);
  assert.ok(Array.isArray(of(3).result.agents));
}

test('HTTP: the session', async () => {
  const [first, second] = nodes.map(overHttp);
  await followReadme((...call) => result(first, ...call), (...call) => result(second, ...call));
});

test('HTTP: a batch, and a notification', async () => {
  const client = overHttp(nodes[0]);
  await batch(client);
  assert.equal(await client.request('node.info', {}, null), undefined);
});

test('WebSocket: the session', async (context) => {
  const [first, second] = await Promise.all(nodes.map((address) => overWebSocket(context, address)));
  await followReadme((...call) => result(first, ...call), (...call) => result(second, ...call));
});

test('WebSocket: batches, one after another and at once, and what follows them', async (context) => {
  const client = await overWebSocket(context, nodes[0]);
  await batch(client);
  await Promise.all([batch(client), batch(client)]);
  const infos = await Promise.all(Array.from({ length: 20 }, () => result(client, 'node.info')));
  assert.equal(infos.length, 20);
});

test('the command line', async () => {
  const arguments_ = ['-u', `http://${nodes[0]}/rpc`, '-m', 'type.list', '-p', '{}', '-j'];
  const { stdout } = await promisify(execFile)(process.execPath, ['node_modules/jayson/bin/jayson.js', ...arguments_]);
  assert.ok(JSON.parse(stdout).result.types.some((type) => type.type === 'echo'));
});
