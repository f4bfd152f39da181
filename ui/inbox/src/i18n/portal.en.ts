/** What administrators read who set a portal up. */
export const portal = {
  'settings.portal': 'Portal',
};
