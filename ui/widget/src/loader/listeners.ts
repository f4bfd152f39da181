// `on` and `off`: a page's own functions, which may throw, change what they are given, or take themselves off.

export interface Listeners {
  on(name: unknown, fn: unknown): void;
  off(name: unknown, fn: unknown): void;
  emit(name: string, payload: object): void;
}

export function listeners(): Listeners {
  let all: { name: unknown; fn: (payload: unknown) => void }[] = [];
  return {
    on(name, fn) {
      if (typeof fn === 'function') all.push({ name, fn: fn as (payload: unknown) => void });
    },
    off(name, fn) {
      const index = all.findIndex((each) => each.name === name && each.fn === fn);
      if (index >= 0) all = all.filter((_, at) => at !== index);
    },
    emit(name, payload) {
      const text = JSON.stringify(payload);
      for (const each of all.slice()) {
        if (each.name === name) safely(() => each.fn(JSON.parse(text)));
      }
    },
  };
}

/** Runs what may throw: a page must not notice our failures, nor one listener another's. */
export function safely<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    console.error(error);
    return undefined;
  }
}
