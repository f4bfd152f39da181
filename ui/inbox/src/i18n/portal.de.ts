import type { Text } from './catalogue';
import type { portal as english } from './portal.en';

export const portal: Record<keyof typeof english, Text> = {
  'settings.portal': 'Portal',
};
