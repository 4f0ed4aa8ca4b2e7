DROP TABLE picture
