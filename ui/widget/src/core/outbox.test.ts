import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Refused, Unreachable } from './api';
import { keepOf, type Keep } from './keep';
import { Outbox, type Outgoing } from './outbox';
import type { Sent } from './types';

const OWNER = 'key:aa';

function item(clientId: string, change: Partial<Outgoing> = {}): Outgoing {
  const at = Date.now() + Number(clientId.replace(/\D/g, ''));
  return { clientId, owner: OWNER, talk: 'f1', threadId: null, text: clientId, files: [], quickReply: null, url: '', at, ...change }; // prettier-ignore
}

function sent(item: Outgoing, thread = 9): Sent {
  const message = {
    id: 'm' + item.clientId,
    threadId: thread,
    from: 'VISITOR',
    text: item.text,
    createdAt: '',
  } as const;
  return { message, thread: { id: thread, isNew: item.threadId === null } };
}

function outbox(keep: Keep) {
  const posted: string[] = [];
  const done: string[] = [];
  let answer: (item: Outgoing) => Promise<Sent> = (each) => Promise.resolve(sent(each));
  const box = new Outbox({
    keep,
    send: (each) => {
      posted.push(`${each.clientId}@${each.threadId}`);
      return answer(each);
    },
    sent: (each) => done.push(each.clientId),
    changed: () => void 0,
    now: () => Date.now(),
    random: () => 1,
  });
  return { box, posted, done, answers: (next: typeof answer) => (answer = next) };
}

const storage = () => keepOf(() => localStorage, 'antiphon:1:2:');
const settle = () => vi.advanceTimersByTimeAsync(0);
const unreachable = () => Promise.reject(new Unreachable());

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  localStorage.clear();
});

describe('the outbox', () => {
  it('sends one after the other, and what follows the first goes to the same thread', async () => {
    const { box, posted, done } = outbox(storage());
    box.add(item('1'));
    box.add(item('2'));
    box.add(item('3'));
    await settle();
    expect(posted).toEqual(['1@null', '2@9', '3@9']);
    expect(done).toEqual(['1', '2', '3']);
    expect(box.items).toEqual([]);
    expect(localStorage).toHaveLength(0);
  });

  it('waits for the network, and says so', async () => {
    const { box, posted, answers } = outbox(storage());
    answers(unreachable);
    box.add(item('1'));
    await settle();
    expect(box.items[0]).toMatchObject({ progress: 'waiting' });
    answers((each) => Promise.resolve(sent(each)));
    await vi.advanceTimersByTimeAsync(1000);
    expect(posted).toEqual(['1@null', '1@null']);
    expect(box.items).toEqual([]);
  });

  it('survives a reload with the same ids, so that nothing is said twice', async () => {
    const before = outbox(storage());
    before.answers(unreachable);
    before.box.add(item('1'));
    before.box.add(item('2'));
    await settle();
    const after = outbox(storage());
    after.box.restore(OWNER);
    await settle();
    expect(after.posted).toEqual(['1@null', '2@9']);
    expect(localStorage).toHaveLength(0);
    before.box.forget();
  });

  it('never sends what another visitor wrote, nor what is a day old', async () => {
    const before = outbox(storage());
    before.answers(unreachable);
    before.box.add(item('1', { owner: 'email:ineke@harbour.example' }));
    before.box.add(item('2', { at: Date.now() - 25 * 3600_000 }));
    localStorage.setItem('antiphon:1:2:out:torn', '{');
    const after = outbox(storage());
    after.box.restore(OWNER);
    await settle();
    expect(after.posted).toEqual([]);
    expect(Object.keys(localStorage)).toEqual(['antiphon:1:2:out:1']);
    before.box.forget();
  });

  it('keeps for nobody what was written before it is known by whom', async () => {
    const { box, answers } = outbox(storage());
    answers(unreachable);
    box.add(item('1', { owner: '' }));
    expect(localStorage).toHaveLength(0);
    box.adopt(OWNER);
    expect(JSON.parse(localStorage.getItem('antiphon:1:2:out:1')!)).toMatchObject({ owner: OWNER });
    box.forget();
  });

  it('says honestly that it failed, and does not hold up the rest', async () => {
    const { box, done, answers } = outbox(storage());
    answers((each) =>
      each.clientId === '1' ? Promise.reject(new Refused(400, null)) : Promise.resolve(sent(each)),
    );
    box.add(item('1'));
    box.add(item('2'));
    await settle();
    expect(box.items).toMatchObject([{ clientId: '1', progress: 'failed', lost: false }]);
    expect(done).toEqual(['2']);
    answers((each) => Promise.resolve(sent(each)));
    box.retry('1');
    await settle();
    expect(done).toEqual(['2', '1']);
  });

  it('gives up after a while, and tries again by itself once the network is back', async () => {
    const { box, posted, done, answers } = outbox(storage());
    answers(unreachable);
    box.add(item('1'));
    box.add(item('2'));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(posted).toHaveLength(5);
    expect(box.items.map((each) => each.progress)).toEqual(['failed', 'failed']);
    answers((each) => Promise.resolve(sent(each)));
    box.wake();
    await settle();
    expect(done).toEqual(['1', '2']);
  });

  it('waits as long as the server says', async () => {
    const { box, posted, answers } = outbox(storage());
    answers(() => Promise.reject(new Refused(429, 30)));
    box.add(item('1'));
    await vi.advanceTimersByTimeAsync(29_999);
    expect(posted).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(posted).toHaveLength(2);
    box.forget();
  });

  it('works where storage is blocked', async () => {
    const blocked = keepOf(() => {
      throw new DOMException('denied', 'SecurityError');
    }, 'p:');
    const { box, done, answers } = outbox(blocked);
    answers(unreachable);
    box.add(item('1'));
    await settle();
    expect(blocked.keys()).toEqual(['out:1']);
    answers((each) => Promise.resolve(sent(each)));
    box.wake();
    await settle();
    expect(done).toEqual(['1']);
    expect(blocked.keys()).toEqual([]);
  });

  it('leaves nothing of a visitor who has left', async () => {
    const { box, answers } = outbox(storage());
    answers(unreachable);
    box.add(item('1'));
    localStorage.setItem('antiphon:1:2:draft:new', 'half a thought');
    localStorage.setItem('of the page', 'stays');
    box.forget();
    expect(Object.keys(localStorage)).toEqual(['of the page']);
    expect(box.items).toEqual([]);
  });
});
