/** Calls back somebody who looks elsewhere: a sound, a notice of the browser, a figure in the title. */
import * as door from '../api/threads';
import type { Entry, WorkThread } from '../api/shapes';
import { t } from '../i18n/index.svelte';
import { concerns } from './concerns';
import { router } from './router.svelte';
import { session } from './session.svelte';
import { settings } from './settings.svelte';

/** So many calls in a burst are one. */
const APART = 1500;

/** So many messages are looked at together. */
const AT_ONCE = 3;

class Notifier {
  unseen = $state(0);
  private last = 0;
  private looking = 0;
  private audio: AudioContext | null = null;

  constructor() {
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') this.unseen = 0;
    });
  }

  async told(threadId: string, messageId: string, known: Entry | null): Promise<void> {
    if (document.visibilityState === 'visible' && document.hasFocus()) return;
    // When much comes at once, one call says as much as many.
    if (this.looking >= AT_ONCE) return;
    this.looking += 1;
    try {
      const [entry, thread] = await Promise.all([known ?? door.entry(threadId, messageId), door.read(threadId)]);
      if (concerns(entry, thread, session.me)) this.call(entry, thread);
    } catch {
      // Nobody is called for what cannot be read.
    } finally {
      this.looking -= 1;
    }
  }

  private call(entry: Entry, thread: WorkThread): void {
    this.unseen += 1;
    const now = Date.now();
    if (now - this.last < APART) return;
    this.last = now;
    if (settings.now.sound) this.sound();
    if (!settings.now.notify || !('Notification' in window) || Notification.permission !== 'granted') return;
    const title = thread.contact.name ?? thread.contact.email ?? t('person.visitor');
    const body = 'text' in entry ? entry.text.slice(0, 180) : '';
    const notice = new Notification(title, { body, tag: thread.id });
    notice.onclick = () => {
      window.focus();
      router.open(thread.id);
      notice.close();
    };
  }

  /** Two soft notes, made here: nothing is fetched for them. */
  sound(): void {
    try {
      this.audio ??= new AudioContext();
      const { audio } = this;
      void audio.resume();
      [659.25, 880].forEach((pitch, at) => {
        const begin = audio.currentTime + at * 0.13;
        const tone = new OscillatorNode(audio, { type: 'sine', frequency: pitch });
        const level = new GainNode(audio, { gain: 0 });
        level.gain.setValueAtTime(0, begin);
        level.gain.linearRampToValueAtTime(0.08, begin + 0.015);
        level.gain.exponentialRampToValueAtTime(0.0001, begin + 0.4);
        tone.connect(level).connect(audio.destination);
        tone.start(begin);
        tone.stop(begin + 0.45);
      });
    } catch {
      // A browser without sound is told by its title.
    }
  }

  async askLeave(): Promise<boolean> {
    if (!('Notification' in window)) return false;
    return (await Notification.requestPermission()) === 'granted';
  }
}

export const notifier = new Notifier();
