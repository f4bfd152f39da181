// The script of a page's tag.

import { safely } from './listeners';
import { start } from './start';

safely(() => start(window));
