// SPDX-License-Identifier: Apache-2.0
// Shows openapi.json: each operation with what it takes and answers, and the
// schemas behind it. Text is set as text, never as HTML.

function node(name, text, ...children) {
  const element = document.createElement(name);
  if (text) element.textContent = text;
  element.append(...children);
  return element;
}

const nameOf = (schema) => schema?.$ref?.split('/').pop();

function schemaNode(schema) {
  const name = nameOf(schema);
  if (!name) return node('pre', JSON.stringify(schema, null, 2));
  const link = node('a', name);
  link.href = `#${name}`;
  return node('p', '', link);
}

function bodyNodes(content) {
  return Object.entries(content ?? {}).flatMap(([type, { schema }]) => [node('code', type), schemaNode(schema)]);
}

function operationNode(path, method, operation) {
  const head = node('summary', '', node('span', method.toUpperCase()), node('code', path), ` — ${operation.summary}`);
  head.firstChild.className = 'method';
  const inner = node('div', '');
  if (operation.description) inner.append(node('p', operation.description));
  if (operation.requestBody) inner.append(node('h3', 'Body'), ...bodyNodes(operation.requestBody.content));
  const answers = node('dl', '');
  for (const [status, answer] of Object.entries(operation.responses)) {
    answers.append(node('dt', status), node('dd', answer.description, ...bodyNodes(answer.content)));
  }
  inner.append(node('h3', 'Answers'), answers);
  return node('details', '', head, inner);
}

function schemaDetails(name, schema) {
  const details = node('details', '', node('summary', name), node('div', '', node('pre', JSON.stringify(schema, null, 2))));
  details.id = name;
  return details;
}

function openTarget() {
  const target = document.getElementById(location.hash.slice(1));
  if (target) {
    target.open = true;
    target.scrollIntoView();
  }
}

function show(api) {
  const main = document.getElementById('main');
  main.replaceChildren(node('h1', `${api.info.title} ${api.info.version}`), node('p', api.info.description));
  for (const { name } of api.tags) {
    main.append(node('h2', name));
    for (const [path, methods] of Object.entries(api.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        if (operation.tags?.includes(name)) main.append(operationNode(path, method, operation));
      }
    }
  }
  main.append(node('h2', 'Schemas'));
  for (const [name, schema] of Object.entries(api.components.schemas)) main.append(schemaDetails(name, schema));
  addEventListener('hashchange', openTarget);
  openTarget();
}

try {
  const answer = await fetch('openapi.json');
  show(await answer.json());
} catch (error) {
  document.getElementById('state').textContent = `openapi.json does not come: ${error.message}`;
}
