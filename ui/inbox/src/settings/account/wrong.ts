/** What is wrong with a password or a code that proves who somebody is, in our own words beside its field. */
import { Problem } from '../../api/problem';
import { type Key, t } from '../../i18n/index.svelte';

function beside(why: Problem, said: string, field: string, text: Key): Problem {
  if (!why.details.some((detail) => detail.in === said)) return why;
  return new Problem(why.status, why.message, why.category, why.subCategory, why.context, [{ message: t(text), in: field }]);
}

export function aboutPassword(why: Problem, field = 'password'): Problem {
  return beside(why, 'password', field, 'account.passwordWrong');
}

export function aboutCode(why: Problem): Problem {
  return beside(why, 'code', 'code', 'session.codeWrong');
}
