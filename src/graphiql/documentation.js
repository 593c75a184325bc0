import { isEnumType, isInputObjectType, isInterfaceType, isObjectType, isScalarType, isSpecifiedScalarType } from "graphql";

/**
 * Puts the types of a schema into the order in which the documentation lists them. A schema has them in the order in
 * which its fields name them, where what readers look for stands between edges and payloads.
 */
export function sortTypes(schema) {
  const types = schema.getTypeMap();
  const sorted = Object.values(types).sort((one, other) => place(one) - place(other));
  for (const type of sorted) {
    delete types[type.name];
    types[type.name] = type;
  }
}

const GROUPS = [
  // What a project has: all that a global id leads to.
  (type) => isObjectType(type) && type.getInterfaces().length > 0,
  isInterfaceType,
  isEnumType,
  isInputObjectType,
  (type) => isScalarType(type) && !isSpecifiedScalarType(type),
  (type) => isObjectType(type) && /(Connection|Edge|PageInfo)$/.test(type.name),
  isObjectType,
];

function place(type) {
  const found = GROUPS.findIndex((belongs) => belongs(type));
  return found < 0 ? GROUPS.length : found;
}
