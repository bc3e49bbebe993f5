// Search as you type: the list that the same page has under the address of the view, while the form stays as it is.
{
  const form = document.querySelector('form[role=search]');
  const section = form?.closest('section');
  const status = section?.querySelector('[role=status]');
  if (form?.elements.namedItem('q') && status) {
    const PAUSE = 250;
    let timer;
    let running = new AbortController();

    // What isn't chosen doesn't stand in it.
    const address = () => {
      const query = new URLSearchParams();
      for (const [name, value] of new FormData(form)) {
        if (value.trim() && form.elements.namedItem(name).selectedIndex !== 0) query.append(name, value.trim());
      }
      return `${form.getAttribute('action')}${query.size ? '?' : ''}${query}`;
    };

    // Everything behind the form is replaced; only the status stays, because what is new in it is read aloud.
    const show = (page) => {
      const found = new DOMParser().parseFromString(page, 'text/html').querySelector('form[role=search] ~ * > [role=status]');
      if (!found) return false;
      const held = !form.contains(document.activeElement) && section.contains(document.activeElement);
      const here = held && document.activeElement.getAttribute('href');
      status.textContent = found.textContent;
      for (const [old, fresh] of [[status, found], [status.parentElement, found.parentElement]]) {
        while (old.nextSibling) old.nextSibling.remove();
        while (fresh.nextSibling) old.parentElement.append(fresh.nextSibling);
      }
      // Where the keyboard was there may be nothing any more.
      if (held) ([...section.querySelectorAll('a')].find((link) => link.getAttribute('href') === here) ?? form.elements.namedItem('q')).focus();
      return true;
    };

    const search = async () => {
      running.abort();
      running = new AbortController();
      const { signal } = running;
      const view = address();
      section.setAttribute('aria-busy', 'true');
      try {
        const answer = await fetch(view, { signal, redirect: 'manual', headers: { accept: 'text/html' } });
        if (answer.type === 'opaqueredirect') {
          const link = Object.assign(document.createElement('a'), { href: '/sign-in', textContent: 'Sign in again' });
          status.replaceChildren('You are signed out, so this list stays as it was. ', link, '.');
        } else if (answer.ok && show(await answer.text())) {
          history.replaceState(history.state, '', view);
        } else {
          throw new Error(answer.status);
        }
      } catch {
        if (signal.aborted) return;
        status.textContent = 'The search didn’t get through, so this list stays as it was. Press “Show” to try again.';
      }
      if (!signal.aborted) section.removeAttribute('aria-busy');
    };

    const soon = () => {
      clearTimeout(timer);
      timer = setTimeout(search, PAUSE);
    };
    form.addEventListener('input', (event) => { if (!event.isComposing) soon(); });
    form.addEventListener('compositionend', soon);
    form.addEventListener('submit', () => { clearTimeout(timer); running.abort(); });
  }
}
