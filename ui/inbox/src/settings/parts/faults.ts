/** What is wrong with a form, and where: beside its fields, and above them what belongs to none. */
import { Problem } from '../../api/problem';

export class Faults {
  constructor(
    private readonly byField: Readonly<Record<string, string>> = {},
    private readonly whole: string = '',
  ) {}

  /** What is wrong with a field, if anything. `days` is also asked by what is wrong with `days[2].from`. */
  of(field: string): string | undefined {
    const said = Object.entries(this.byField).filter(([name]) => belongs(name, field));
    return said.length > 0 ? said.map(([, text]) => text).join(' ') : undefined;
  }

  /** What is wrong with none of the fields that a form shows. */
  besides(fields: readonly string[]): string {
    const others = Object.entries(this.byField).filter(([name]) => !fields.some((field) => belongs(name, field)));
    return [this.whole, ...others.map(([, text]) => text)].filter(Boolean).join(' ');
  }

  /** `say` has the words for what the request is not to blame for. */
  static from(error: unknown, say: (problem: Problem) => string): Faults {
    const problem = Problem.from(error);
    const byField: Record<string, string> = {};
    if (problem.status !== 400 && problem.status !== 409 && problem.status !== 422) return new Faults({}, say(problem));
    for (const { in: field, message } of problem.details) {
      if (field) byField[field] = [byField[field], message].filter(Boolean).join(' ');
    }
    const placed = problem.details.length > 0 && problem.details.every((detail) => detail.in);
    return new Faults(byField, placed ? '' : say(problem));
  }
}

function belongs(name: string, field: string): boolean {
  return name === field || name.startsWith(`${field}.`) || name.startsWith(`${field}[`);
}
