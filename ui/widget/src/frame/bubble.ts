// The bubble beside the launcher: a few words and what to do about them.

export interface Choice {
  label: string;
  first: boolean;
  chosen: () => void;
}

const bubble = document.getElementById('bubble') as HTMLElement;

export function showBubble(text: string, choices: Choice[]): void {
  const words = document.getElementById('bubble-text') as HTMLElement;
  const buttons = document.getElementById('bubble-buttons') as HTMLElement;
  words.textContent = text;
  buttons.replaceChildren(
    ...choices.map(({ label, first, chosen }) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = label;
      if (first) button.className = 'first';
      button.addEventListener('click', chosen);
      return button;
    }),
  );
  bubble.hidden = false;
}

export function hideBubble(): void {
  bubble.hidden = true;
}
