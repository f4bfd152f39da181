/** An answer that is an error, or no answer at all. */
export class Problem extends Error {
  override name = 'Problem';

  constructor(
    /** Status of the answer; 0 when there was none. */
    readonly status: number,
    message: string,
    readonly category: string = '',
    readonly subCategory: string = '',
    readonly context: Record<string, string[]> = {},
    readonly details: { message: string; in?: string }[] = [],
  ) {
    super(message);
  }

  /** Whether the same request may well succeed a little later. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }

  /** What to show: every reason the server gives. */
  get reasons(): string {
    const all = this.details.map((detail) => detail.message).filter(Boolean);
    return all.length > 0 ? all.join(' ') : this.message;
  }

  static of(status: number, body: unknown): Problem {
    if (typeof body !== 'object' || body === null) return new Problem(status, String(status));
    const said = body as {
      message?: string;
      category?: string;
      subCategory?: string;
      context?: Record<string, string[]>;
      errors?: { message: string; in?: string }[];
    };
    return new Problem(
      status,
      said.message ?? String(status),
      said.category,
      said.subCategory,
      said.context,
      said.errors,
    );
  }

  static from(error: unknown): Problem {
    if (error instanceof Problem) return error;
    return new Problem(0, error instanceof Error ? error.message : String(error));
  }
}
