// Adds a "Show" button to password fields.
for (const field of document.querySelectorAll('input[type="password"]')) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'show';
  button.textContent = 'Show';
  button.setAttribute('aria-controls', field.id);
  button.setAttribute('aria-pressed', 'false');
  button.addEventListener('click', () => {
    const shown = field.type === 'text';
    field.type = shown ? 'password' : 'text';
    button.textContent = shown ? 'Show' : 'Hide';
    button.setAttribute('aria-pressed', String(!shown));
    field.focus();
  });
  const row = document.createElement('div');
  row.className = 'row';
  field.replaceWith(row);
  row.append(field, button);
}
// A link that leads into the chat: the form takes along whose browser this is, the page behind it becomes that visit.
const kept = (site) => `continuo:${site}:token`;
for (const form of document.querySelectorAll('form[data-chat]')) {
  try {
    form.elements.visit.value = JSON.parse(localStorage.getItem(kept(form.dataset.chat)) ?? '""');
  } catch {
    // No storage, no visit: a new one begins.
  }
}
for (const place of document.querySelectorAll('[data-visit]')) {
  try {
    localStorage.setItem(kept(place.dataset.chat), JSON.stringify(place.dataset.visit));
    sessionStorage.setItem(`continuo:${place.dataset.chat}`, '1');
  } catch {
    // Without storage the chat cannot know its visit, and begins anew.
  }
  place.querySelector('[data-open-chat]')?.addEventListener('click', () => window.continuo?.('open'));
}
