"""What the shop sells, to whom, and what they bought: small and fixed, so that every run shows the same."""

USERS = {
    "alice": {"id": "alice", "name": "Alice Amberg", "city": "Zürich"},
    "bob": {"id": "bob", "name": "Bob Bernoulli", "city": "Basel"},
    "carol": {"id": "carol", "name": "Carol Caduff", "city": "Chur"},
}

PRODUCTS = {
    "kettle": {"id": "kettle", "name": "Kettle", "price": "39.90"},
    "teapot": {"id": "teapot", "name": "Teapot", "price": "24.50"},
    "cup": {"id": "cup", "name": "Cup", "price": "6.90"},
    "sieve": {"id": "sieve", "name": "Tea sieve", "price": "4.20"},
    "assam": {"id": "assam", "name": "Assam, 250 g", "price": "12.00"},
    "sencha": {"id": "sencha", "name": "Sencha, 100 g", "price": "14.80"},
}

# Bought once, sold no longer: the product service answers 404, the inventory still knows the last pieces.
WITHDRAWN = "samovar"

STOCK = {"kettle": 12, "teapot": 3, "cup": 240, "sieve": 0, "assam": 58, "sencha": 17, WITHDRAWN: 1}

ORDERS = {
    "alice": [
        {"id": "o-1007", "placedAt": "2026-03-02T09:14:00Z",
         "lines": [{"productId": "teapot", "quantity": 1}, {"productId": "cup", "quantity": 6}]},
        {"id": "o-1003", "placedAt": "2026-02-11T18:40:00Z",
         "lines": [{"productId": "assam", "quantity": 2}, {"productId": "sieve", "quantity": 1},
                   {"productId": "cup", "quantity": 2}]},
        {"id": "o-0815", "placedAt": "2025-11-28T07:05:00Z",
         "lines": [{"productId": WITHDRAWN, "quantity": 1}, {"productId": "sencha", "quantity": 3}]},
    ],
    "bob": [
        {"id": "o-1001", "placedAt": "2026-02-01T12:00:00Z", "lines": [{"productId": "kettle", "quantity": 1}]},
    ],
    "carol": [],
}
