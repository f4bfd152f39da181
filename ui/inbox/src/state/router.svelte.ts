/** Where we are: the browser's address, kept in step with what is shown. */
import { parse, pathOf, type Place, type Route } from './routes';

class Router {
  route = $state.raw<Route>(parse(location.pathname));

  constructor() {
    addEventListener('popstate', () => {
      this.route = parse(location.pathname);
    });
  }

  go(route: Route, replace = false): void {
    const path = pathOf(route);
    if (path !== location.pathname || location.hash) {
      if (replace) history.replaceState(null, '', path);
      else history.pushState(null, '', path);
    }
    this.route = route;
  }

  /** The place whose threads are listed, where one is. */
  get place(): Place | null {
    return this.route.name === 'work' ? this.route.place : null;
  }

  get threadId(): string | null {
    return this.route.name === 'work' ? this.route.threadId : null;
  }

  show(place: Place): void {
    this.go({ name: 'work', place, threadId: null });
  }

  /** Opens a thread beside the list that is shown. */
  open(threadId: string | null, replace = false): void {
    if (this.route.name === 'work') this.go({ ...this.route, threadId }, replace);
  }

  settings(page = ''): void {
    this.go({ name: 'settings', page });
  }
}

export const router = new Router();

/** For links: follows one inside the application, and leaves the browser what is the browser's. */
export function follow(event: MouseEvent, route: Route): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  router.go(route);
}
