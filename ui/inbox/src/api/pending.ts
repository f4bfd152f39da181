/** Operations that the description does not have yet. */

interface OfContact {
  parameters: { query?: never; header?: never; path: { contactId: string }; cookie?: never };
  responses: { 200: { content: { 'application/json': unknown } } };
}

export interface Pending {
  '/antiphon/v1/contacts/{contactId}/export': { get: OfContact };
  '/antiphon/v1/contacts/{contactId}/erase': { post: OfContact };
}
