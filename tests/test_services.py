import pymongo

from demo import services


def test_mongod__starts_again_on_its_old_data(tmp_path):
    with services.mongod(tmp_path) as uri, pymongo.MongoClient(uri) as client:
        client.kept.things.insert_one({"_id": 1})
    with services.mongod(tmp_path) as uri, pymongo.MongoClient(uri) as client:
        assert client.kept.things.count_documents({}) == 1
        with client.kept.things.watch():  # only a replica set has change streams
            pass
