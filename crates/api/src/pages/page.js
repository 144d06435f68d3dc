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
