// SPDX-License-Identifier: Apache-2.0
#include "demo_store.h"

#include <fcntl.h>
#include <pthread.h>

#include "target.h"

enum { kSyncEvery = 64 };

// A treap: a binary tree by key that random priorities keep about balanced.
struct node {
  struct node* left;
  struct node* right;
  uint64_t key;
  uint64_t priority;
  char value[kValueSize];
};

struct store {
  pthread_mutex_t lock;
  struct node* root;
  int log_fd;
  uint64_t appended;
  uint64_t random;
};

uint32_t value_checksum(const char* value) {
  uint32_t crc = 0xffffffffu;
  for (int i = 0; i < kValueSize; ++i) {
    crc ^= (uint8_t)value[i];
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1)));
  }
  return ~crc;
}

static struct node* rotate_right(struct node* top) {
  struct node* left = top->left;
  top->left = left->right;
  left->right = top;
  return left;
}

static struct node* rotate_left(struct node* top) {
  struct node* right = top->right;
  top->right = right->left;
  right->left = top;
  return right;
}

static struct node* make_node(struct store* store, uint64_t key) {
  struct node* node = calloc(1, sizeof(*node));
  tgt_require(node != NULL, "out of memory");
  store->random = store->random * 6364136223846793005u + 1442695040888963407u;
  node->key = key;
  node->priority = store->random >> 32;
  return node;
}

// Inserts or updates; returns the new top of the subtree.
struct node* tree_insert(struct store* store, struct node* top, uint64_t key, const char* value) {
  if (top == NULL) top = make_node(store, key);
  if (key == top->key) {
    memcpy(top->value, value, kValueSize);
  } else if (key < top->key) {
    top->left = tree_insert(store, top->left, key, value);
    if (top->left->priority > top->priority) top = rotate_right(top);
  } else {
    top->right = tree_insert(store, top->right, key, value);
    if (top->right->priority > top->priority) top = rotate_left(top);
  }
  return top;
}

const struct node* tree_find(const struct node* top, uint64_t key) {
  while (top != NULL && top->key != key) top = key < top->key ? top->left : top->right;
  return top;
}

uint64_t tree_scan(const struct node* top, uint64_t low, uint64_t high) {
  if (top == NULL) return 0;
  uint64_t sum = 0;
  if (low < top->key) sum += tree_scan(top->left, low, high);
  if (low <= top->key && top->key < high) sum += value_checksum(top->value);
  if (top->key < high) sum += tree_scan(top->right, low, high);
  return sum;
}

void log_append(struct store* store, uint64_t key, const char* value) {
  char record[sizeof(key) + kValueSize];
  memcpy(record, &key, sizeof(key));
  memcpy(record + sizeof(key), value, kValueSize);
  tgt_require(write(store->log_fd, record, sizeof(record)) == (ssize_t)sizeof(record),
              "the log cannot be written");
  if (++store->appended % kSyncEvery == 0) fdatasync(store->log_fd);
}

void log_rewrite(struct store* store, const struct node* top) {
  if (top == NULL) return;
  log_rewrite(store, top->left);
  log_append(store, top->key, top->value);
  log_rewrite(store, top->right);
}

static void free_tree(struct node* top) {
  if (top == NULL) return;
  free_tree(top->left);
  free_tree(top->right);
  free(top);
}

struct store* store_open(const char* log_path) {
  struct store* store = calloc(1, sizeof(*store));
  tgt_require(store != NULL, "out of memory");
  pthread_mutex_init(&store->lock, NULL);
  store->random = 7;
  store->log_fd = open(log_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  tgt_require(store->log_fd >= 0, "the log cannot be opened");
  return store;
}

void store_close(struct store* store) {
  close(store->log_fd);
  free_tree(store->root);
  pthread_mutex_destroy(&store->lock);
  free(store);
}

void store_set(struct store* store, uint64_t key, const char* value) {
  pthread_mutex_lock(&store->lock);
  store->root = tree_insert(store, store->root, key, value);
  log_append(store, key, value);
  pthread_mutex_unlock(&store->lock);
}

int store_get(struct store* store, uint64_t key, char* value) {
  pthread_mutex_lock(&store->lock);
  const struct node* node = tree_find(store->root, key);
  if (node != NULL) memcpy(value, node->value, kValueSize);
  pthread_mutex_unlock(&store->lock);
  return node != NULL;
}

uint64_t store_scan(struct store* store, uint64_t low, uint64_t high) {
  pthread_mutex_lock(&store->lock);
  const uint64_t sum = tree_scan(store->root, low, high);
  pthread_mutex_unlock(&store->lock);
  return sum;
}

void store_compact(struct store* store) {
  pthread_mutex_lock(&store->lock);
  tgt_require(ftruncate(store->log_fd, 0) == 0, "the log cannot be truncated");
  tgt_require(lseek(store->log_fd, 0, SEEK_SET) == 0, "the log cannot be rewound");
  log_rewrite(store, store->root);
  pthread_mutex_unlock(&store->lock);
}
