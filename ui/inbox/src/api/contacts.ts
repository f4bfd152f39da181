/** The people on the other side. */
import { api, ok } from './client';
import type { Contact } from './shapes';

const ONE = '/antiphon/v1/contacts/{contactId}';

export function read(contactId: string): Promise<Contact> {
  return ok(api.GET(ONE, { params: { path: { contactId } } }));
}

export function change(contactId: string, body: { name?: string; email?: string; phone?: string }): Promise<Contact> {
  return ok(api.PATCH(ONE, { params: { path: { contactId } }, body }));
}

/** Everything that is known of somebody, to be handed out. */
export function exported(contactId: string): Promise<unknown> {
  return ok(api.GET(`${ONE}/export`, { params: { path: { contactId } } }));
}

/** Forgets somebody for good. */
export function erase(contactId: string): Promise<unknown> {
  return ok(api.POST(`${ONE}/erase`, { params: { path: { contactId } } }));
}
