CREATE TABLE picture (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    title text NOT NULL CHECK (title <> ''),
    key text NOT NULL UNIQUE
)
