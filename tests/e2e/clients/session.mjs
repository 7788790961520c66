// What README.md does with curl, for any client that can make a call.

import assert from 'node:assert/strict';

/** A call id that nobody has used. */
export function newCall() {
  return `call-${process.pid}-${Date.now()}-${Math.random().toString(36).slice(2, 10)}`;
}

/**
 * Follows the session. `first` and `second` call a method on the one and the other node: (method, params) => result,
 * and reject with an error that has `code` and `data`.
 */
export async function followReadme(first, second) {
  const mark = newCall();
  const [a, b, slow, never] = ['a', 'b', 'slow', 'never'].map((name) => `${name}-${mark}`);
  const made = await first('agent.create', { type: 'echo', agent: a });
  assert.deepEqual([made.agent, made.type, made.name], [a, 'echo', 'echo']);

  const answered = await first('agent.call', { agent: a, input: 'tides', wait_ms: 45000 });
  assert.equal(answered.state, 'done');
  assert.equal(answered.value.content, 'tides');
  assert.equal(answered.value.role, 'assistant');
  assert.equal(answered.placeholder.$placeholder.call, answered.call);

  await first('agent.create', { type: 'sleeper', agent: slow, args: { seconds: 0.3 } });
  await first('agent.create', { type: 'sleeper', agent: never, args: { seconds: 600 } });
  await second('agent.create', { type: 'echo', agent: b });
  const draft = newCall();
  const begun = await first('agent.call', { agent: slow, input: 'a draft', call: draft });
  assert.equal(begun.call, draft);
  assert.equal('value' in begun, false);
  const passed = await second('agent.call', { agent: b, input: begun.placeholder, wait_ms: 45000 });
  assert.equal(passed.value.content, 'a draft');

  const regretted = newCall();
  await first('agent.call', { agent: never, call: regretted });
  assert.deepEqual(await first('call.cancel', { call: regretted }), { call: regretted, state: 'cancelled' });
  assert.equal((await first('call.get', { call: regretted })).error.data.kind, 'cancelled');

  const { agents } = await first('agent.list', { type: 'sleeper', limit: 1000 });
  assert.equal(agents.find((agent) => agent.agent === slow).calls, 1);
  const document = await first('rpc.discover');
  assert.ok(document.methods.some((method) => method.name === 'agent.call'));
  assert.deepEqual(await first('call.release', { calls: [draft, regretted] }), { released: 2 });

  await refused(first('agent.get', { agent: 'nobody-at-all' }), -32010, 'agent_not_found');
  await refused(first('call.get', { call: draft }), -32012, 'call_not_found');
  await refused(first('node.inof'), -32601, 'method_not_found');
  await refused(first('agent.call', { agent: a, imput: 1 }), -32602, 'invalid_params');
}

async function refused(answer, code, kind) {
  await assert.rejects(answer, (error) => error.code === code && error.data.kind === kind);
}
