export * from './quantity.ts'
export * from './quantity-text.ts'
