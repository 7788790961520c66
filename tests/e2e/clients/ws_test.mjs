// ws, which offers compression and leaves the rest to us.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { followReadme, newCall } from './session.mjs';

const nodes = process.env.AGENTD_NODES.split(' ');

/** A connection whose messages are kept until somebody asks for one. */
async function connect(context, address) {
  const socket = new WebSocket(`ws://${address}/ws`, { perMessageDeflate: true });
  const came = [];
  const wanted = [];
  let ids = 0;
  const deliver = () => {
    for (const one of [...wanted]) {
      const at = came.findIndex(one.fits);
      if (at < 0) continue;
      wanted.splice(wanted.indexOf(one), 1);
      one.resolve(came.splice(at, 1)[0]);
    }
  };
  socket.on('message', (data, binary) => {
    assert.equal(binary, false);
    came.push(JSON.parse(data));
    deliver();
  });
  context.after(() => socket.close());
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const next = (fits) => new Promise((resolve) => {
    wanted.push({ fits, resolve });
    deliver();
  });
  const send = (message) => socket.send(JSON.stringify(message));
  const call = async (method, params) => {
    const id = `id-${++ids}`;
    send({ jsonrpc: '2.0', id, method, params });
    const answer = await next((message) => message.id === id);
    if (answer.error) throw answer.error;
    return answer.result;
  };
  return { socket, send, next, call };
}

test('compression is not agreed on', async (context) => {
  const { socket } = await connect(context, nodes[0]);
  assert.equal(socket.extensions, '');
});

test('the session', async (context) => {
  const [first, second] = await Promise.all(nodes.map((address) => connect(context, address)));
  await followReadme(first.call, second.call);
});

test('call.settled comes after the answer', async (context) => {
  const { send, next, call } = await connect(context, nodes[0]);
  const { agent } = await call('agent.create', { type: 'echo' });
  const id = newCall();
  send({ jsonrpc: '2.0', id: 0, method: 'agent.call', params: { agent, call: id, input: 1 } });
  const order = [await next(() => true), await next(() => true)];
  assert.equal(order[0].id, 0);
  assert.deepEqual([order[1].method, order[1].params.call, order[1].params.value.content], ['call.settled', id, 1]);
});

test('a batch is answered in one array, and what is sent alone is answered alone', async (context) => {
  const { send, next } = await connect(context, nodes[0]);
  send([...['a', 'b', 'c'].map((id) => ({ jsonrpc: '2.0', id, method: 'node.info' })), { jsonrpc: '2.0', method: 'node.info' }]);
  const answers = await next(() => true);
  assert.deepEqual(answers.map((answer) => answer.id).sort(), ['a', 'b', 'c']);
  const ids = Array.from({ length: 50 }, (_, n) => n);
  for (const id of ids) send({ jsonrpc: '2.0', id, method: 'node.info' });
  for (const id of ids) assert.equal((await next(() => true)).id, id);
});

test('a ping is answered, and a close is one', async (context) => {
  const { socket } = await connect(context, nodes[0]);
  const pong = new Promise((resolve) => socket.once('pong', resolve));
  socket.ping('there?');
  assert.equal((await pong).toString(), 'there?');
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.close(1000, 'done');
  assert.equal(await closed, 1000);
});
