// What outlives a reload. In a frame, storage may be blocked or thrown away at any time; then memory has to do.

export interface Keep {
  get(key: string): string | null;
  set(key: string, value: string): void;
  remove(key: string): void;
  keys(): string[];
}

export function keepOf(storage: () => Storage, prefix: string): Keep {
  const memory = new Map<string, string>();
  const attempt = <T>(work: (storage: Storage) => T): T | null => {
    try {
      return work(storage());
    } catch {
      return null;
    }
  };
  return {
    get: (key) => memory.get(key) ?? attempt((kept) => kept.getItem(prefix + key)),
    set(key, value) {
      const done = attempt((kept) => {
        kept.setItem(prefix + key, value);
        return true;
      });
      if (done) memory.delete(key);
      else memory.set(key, value);
    },
    remove(key) {
      memory.delete(key);
      attempt((kept) => kept.removeItem(prefix + key));
    },
    keys() {
      const stored = attempt((kept) => Object.keys(kept).filter((key) => key.startsWith(prefix))) ?? [];
      return [...new Set([...memory.keys(), ...stored.map((key) => key.slice(prefix.length))])];
    },
  };
}
