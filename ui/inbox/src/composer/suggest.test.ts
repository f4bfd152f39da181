import { describe, expect, it } from 'vitest';
import { asked, escapeHtml, fillPlaces, offers, paragraphs } from './suggest';

describe('what is asked for while writing', () => {
  it.each([
    ['/', '/', '', 1],
    ['Hello /hou', '/', 'hou', 4],
    ['@', '@', '', 1],
    ['ask @Sofía', '@', 'Sofía', 6],
    ['(@jo', '@', 'jo', 3],
  ])('%s', (before, trigger, query, length) => {
    expect(asked(before)).toEqual({ trigger, query, length });
  });

  it.each(['', 'hello', 'and/or', 'mail@example.org', 'https://x/', '/two words', 'a //'])('nothing in %j', (before) => {
    expect(asked(before)).toBeNull();
  });
});

describe('what is offered', () => {
  const canned = [
    { id: '1', name: 'Opening hours', shortcut: 'hours', text: 'Nine to five', shared: true },
    { id: '2', name: 'Hello', shortcut: 'hi', text: 'Hello, these are our hours', shared: true },
  ];
  const agent = (id: string, name: string) => ({ id, actorId: `A-${id}`, name, active: true, createdAt: '' });
  const agents = [agent('71', 'Mia'), agent('72', 'Jonas'), agent('73', 'Sofía')];

  it('is what fits, the shortcut before the text', () => {
    expect(offers({ trigger: '/', query: 'hours', length: 6 }, canned, agents, 'A-71').map((one) => one.id)).toEqual(['1', '2']);
    expect(offers({ trigger: '/', query: 'zzz', length: 4 }, canned, agents, 'A-71')).toEqual([]);
  });

  it('is every colleague but ourselves, accents or not', () => {
    expect(offers({ trigger: '@', query: '', length: 1 }, canned, agents, 'A-71').map((one) => one.id)).toEqual(['A-72', 'A-73']);
    expect(offers({ trigger: '@', query: 'sofia', length: 6 }, canned, agents, 'A-71').map((one) => one.id)).toEqual(['A-73']);
  });
});

describe('the places of a canned reply', () => {
  it('are filled, and left out with their blank where nothing is known', () => {
    expect(fillPlaces('Hello {{contact.firstName}}, I am {{ agent.name }}.', { 'agent.name': 'Mia' }, (value) => value)).toBe('Hello, I am Mia.');
    expect(fillPlaces('Hi {{contact.name}}!', { 'contact.name': 'Ines' }, (value) => value)).toBe('Hi Ines!');
  });

  it('never carry markup into HTML', () => {
    expect(fillPlaces('<p>{{contact.name}}</p>', { 'contact.name': '<img src=x onerror="a">' }, escapeHtml)).toBe('<p>&lt;img src=x onerror=&quot;a&quot;&gt;</p>');
    expect(paragraphs('a <b>\nb\n\nc')).toBe('<p>a &lt;b&gt;<br>b</p><p>c</p>');
  });
});
