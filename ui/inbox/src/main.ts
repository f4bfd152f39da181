import '@antiphon/tokens/tokens.css';
import './app.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { session } from './state/session.svelte';
import { settings } from './state/settings.svelte';

const target = document.getElementById('app');
if (target) {
  // The language is known before the first word is shown; who is signed in may come a moment later.
  void settings.apply().finally(() => mount(App, { target }));
  void session.begin();
}
